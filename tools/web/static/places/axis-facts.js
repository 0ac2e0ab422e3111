// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Which axis counts now, and how it is told. Axis and Reconstruct share this.

/** {axis, origin}: set, scan (the file tells it) or found (in the last slice); null where nobody knows it. */
export function axisOf(frame) {
  const { values, found } = frame.settings, own = frame.dataset?.values ?? {}, facts = frame.dataset?.facts;
  if ("axis" in values) return { axis: values.axis, origin: "set" };
  if ("axis-index" in values) return { axis: values["axis-index"] + 0.5, origin: "set" };
  const method = values["axis-method"] ?? "auto";
  if (!("axis-method" in values) && "axis" in own) return { axis: own.axis, origin: "set" };
  if (typeof facts?.axis === "number" && (method === "auto" || method === "scan")) return { axis: facts.axis, origin: "scan" };
  return found === null ? null : { axis: found, origin: "found" };
}

/** The axis that counts, else the middle of the columns. */
export function axisOrMiddle(frame) {
  return axisOf(frame)?.axis ?? frame.dataset.facts.width / 2;
}

/** axis 86.35 ± 0.05 px, roll 0.10° */
export function axisText(frame) {
  const known = axisOf(frame), { values, uncertainty } = frame.settings;
  if (!known) return "axis not known";
  const spread = known.origin === "set" && uncertainty !== null && uncertainty !== undefined ? ` ± ${Math.max(uncertainty, 0.01).toFixed(2)}` : "";
  const from = known.origin === "set" ? "" : ` (${known.origin})`;
  return `axis ${known.axis.toFixed(2)}${spread} px${from}${"roll" in values ? `, roll ${values.roll.toFixed(2)}°` : ""}`;
}

const follows = new WeakSet();

/** Has the line with the facts of the data set tell the axis that counts. */
export function tellAxis(frame) {
  if (follows.has(frame)) return;
  follows.add(frame);
  let told = null;
  const tell = () => {
    if (!frame.dataset) return;
    const known = axisOf(frame), text = known ? `axis ${known.axis.toFixed(2)}` : "", of = `${frame.dataset.id} ${text}`;
    if (of === told && frame.dataset.head?.axis === text) return;
    told = of;
    frame.update({ head: { axis: text } });
  };
  frame.settings.addEventListener("change", tell);
  frame.addEventListener("dataset", tell);
  tell();
}

/** The name of this page for the server, which ends its last wish where the next one comes. */
export const TAB = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
