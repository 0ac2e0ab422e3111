// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Files on their way to the server by tus 1.0.0. What has come stays there: a pause, a broken line or a reload costs one piece at most.

import { ask, get } from "../api.js";

const TUS = { "Tus-Resumable": "1.0.0" };
const PIECE = 4 << 20; // bytes of a request
const AT_ONCE = 3;     // files
const PATIENCE = [1, 2, 5, 10, 20, 30]; // seconds until the next try, where the line is broken

/**
 * Files that belong together: one scan, or a folder. Emits "change". `files` are {file, name}, whose names may have folders before them;
 * `known` are uploads of the server that these may go on with.
 */
export class UploadGroup extends EventTarget {
  state = "waiting"; // running, paused, failed, done
  error = "";
  done = 0; // bytes
  places = [];
  #files;
  #known;
  #open = new Map(); // addresses of files that are under way
  #stop = null;
  #began = 0;
  #beganAt = 0;

  constructor(title, files, known = []) {
    super();
    this.title = title;
    this.#files = files.map((one) => ({ ...one, offset: 0, isWhole: false }));
    this.total = files.reduce((sum, { file }) => sum + file.size, 0);
    this.#known = new Map(known.map((one) => [keyOf(one.name, one.length, one.modified), one]));
  }

  /** Goes on until all files are whole; resolves then, or where it pauses or fails. */
  async start() {
    if (this.state === "running") return;
    this.#stop = new AbortController();
    const { signal } = this.#stop, waiting = this.#files.filter(({ isWhole }) => !isWhole);
    this.#began = performance.now();
    this.#beganAt = this.done;
    this.#set("running");
    const work = async () => {
      for (let one = waiting.shift(); one && !signal.aborted; one = waiting.shift()) await this.#send(one, signal);
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      if (!signal.aborted) this.#set("done");
    } catch (error) {
      this.#stop.abort();
      if (this.state === "running") this.#set("failed", error.message);
    }
  }

  pause() {
    if (this.state !== "running") return;
    this.#set("paused");
    this.#stop.abort();
  }

  /** Gives up what is not whole. */
  async giveUp() {
    this.#stop?.abort();
    this.#set("failed", "given up");
    await Promise.all([...this.#open.values()].map((path) => ask("DELETE", path, { headers: TUS }).catch(() => {})));
  }

  /** Bytes per second since it began or went on. */
  get rate() {
    return ((this.done - this.#beganAt) / Math.max(performance.now() - this.#began, 1)) * 1000;
  }

  async #send(one, signal) {
    const path = (one.path ??= await this.#begin(one, signal));
    while (!one.isWhole && !signal.aborted) {
      await patiently(signal, async (attempt) => {
        if (attempt || one.offset === null) this.#came(one, await offsetOf(path, signal));
        const piece = one.file.slice(one.offset, one.offset + PIECE);
        if (piece.size) this.#came(one, await append(path, one.offset, piece, signal));
      });
      if (one.offset === one.file.size) {
        const { is_whole: isWhole, place } = await patiently(signal, () => get(path, { signal }));
        if (!isWhole) throw new Error(`${one.name} can't be completed`);
        this.#end(one, place);
      }
    }
  }

  /** The path of the upload: one that is there already goes on. */
  async #begin(one, signal) {
    const { file, name } = one, modified = String(file.lastModified);
    const known = this.#known.get(keyOf(name, file.size, modified));
    if (known) one.offset = null;
    const path = known ? `uploads/${known.id}` : await patiently(signal, async () => {
      const headers = { ...TUS, "Upload-Length": String(file.size), "Upload-Metadata": `filename ${base64(name)},modified ${base64(modified)}` };
      const answer = await ask("POST", "uploads", { headers, signal });
      return answer.headers.get("Location").replace(/^\/api\//, "");
    });
    this.#open.set(name, path);
    return path;
  }

  #came(one, offset) {
    this.done += offset - (one.offset ?? 0);
    one.offset = offset;
    this.#tell();
  }

  #end(one, place) {
    one.isWhole = true;
    this.#open.delete(one.name);
    this.places.push(place);
    this.#tell();
  }

  #set(state, error = "") {
    this.state = state;
    this.error = error;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

function keyOf(name, length, modified) {
  return JSON.stringify([name, length, modified]);
}

async function offsetOf(path, signal) {
  return Number((await ask("HEAD", path, { headers: TUS, signal })).headers.get("Upload-Offset"));
}

async function append(path, offset, piece, signal) {
  const body = await piece.arrayBuffer(); // fails where the file has changed or is gone
  const headers = { ...TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) };
  if (crypto.subtle) headers["Upload-Checksum"] = `sha256 ${base64(new Uint8Array(await crypto.subtle.digest("SHA-256", body)))}`; // not on plain http of another machine
  return Number((await ask("PATCH", path, { headers, body, signal })).headers.get("Upload-Offset"));
}

/** Tries again where the line is broken or the server is busy, or where both do not agree how far they are. */
async function patiently(signal, what) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await what(attempt);
    } catch (error) {
      const isPassing = error instanceof TypeError || [409, 429, 460, 502, 503, 504].includes(error.status);
      if (signal.aborted || !isPassing || attempt >= PATIENCE.length || (error.status === 409 && attempt)) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.status === 409 ? 0 : PATIENCE[attempt] * 1000));
    }
  }
}

function base64(value) {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""));
}
