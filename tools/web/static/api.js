// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The server, as the pages see it.

/** An answer that is no success. `field` names the value that is wrong, where one is. */
export class Failure extends Error {
  constructor(status, about) {
    super(about.error ?? `the server answers ${status}`);
    this.status = status;
    this.field = about.field;
  }
}

const base = new URL("../api/", import.meta.url);
let csrf = "";
let loggedOut = () => {};

export function setCsrf(token) {
  csrf = token;
}

/** Calls f where the server no longer knows this person: the session is over. */
export function onLoggedOut(f) {
  loggedOut = f;
}

export function address(path, query = {}) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined && one !== null && one !== "") url.searchParams.append(name, one);
  }
  return url;
}

/** Asks the server; resolves to the Response. Options: query, json (a body), signal. Throws Failure. */
export async function ask(method, path, { query, json, body, headers = {}, signal } = {}) {
  const response = await fetch(address(path, query), {
    method,
    signal,
    credentials: "same-origin",
    headers: { ...(json === undefined ? {} : { "Content-Type": "application/json" }), ...(method === "GET" ? {} : { "X-CSRF-Token": csrf }), ...headers },
    body: json === undefined ? body : JSON.stringify(json),
  });
  if (response.status === 401) loggedOut();
  if (!response.ok) throw new Failure(response.status, await response.json().catch(() => ({})));
  return response;
}

export const get = async (path, options) => (await ask("GET", path, options)).json();
export const post = async (path, json = {}, options) => (await ask("POST", path, { json, ...options })).json();
export const patch = async (path, json) => (await ask("PATCH", path, { json })).json();
export const remove = (path) => ask("DELETE", path);

const KINDS = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };

/** Samples: {data, shape, type}, of an answer whose headers X-Shape and X-Type say what the bytes are, little endian. */
export async function samples(method, path, options) {
  const response = await ask(method, path, options);
  const type = response.headers.get("X-Type");
  const shape = response.headers.get("X-Shape").split(",").map(Number);
  return { data: new KINDS[type](await response.arrayBuffer()), shape, type, headers: response.headers };
}
