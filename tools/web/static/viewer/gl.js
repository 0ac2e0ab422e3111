// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Images drawn by WebGL 2. All views of a page share one context: browsers have few of them. Samples stay in the page's memory,
// and textures are made of them when they are drawn, so that a context that gets lost loses nothing.

const MOST_BYTES = 512 << 20; // of textures
const NEAREST = 2; // device pixels per sample above which samples are squares

const VERTEX = `#version 300 es
void main() {
  gl_Position = vec4(vec2((gl_VertexID & 1) * 4 - 1, (gl_VertexID & 2) * 2 - 1), 0, 1);  // one triangle over all
}`;

// Place: in samples of the whole image, of which the texture has those from `first` on.
const fragment = (sampler) => `#version 300 es
precision highp float;
precision highp int;
uniform highp ${sampler} samples;
uniform mediump sampler2D colours;
uniform vec2 origin, pitch;   // device pixels: where the image begins, and of one sample
uniform float height, columns; // of the picture, of the image
uniform ivec2 first, size;
uniform bool isMirrored, isSmooth;
uniform vec2 range;           // black, and colours per value
out vec4 colour;

bool isNothing(float value) {  // x != x may be left out as never true
  return (floatBitsToUint(value) & 0x7fffffffu) > 0x7f800000u;
}

float at(ivec2 place) {
  return float(texelFetch(samples, clamp(place - first, ivec2(0), size - 1), 0).r);
}

void main() {
  vec2 place = (vec2(gl_FragCoord.x, height - gl_FragCoord.y) - origin) / pitch;
  if (isMirrored) place.x = columns - place.x;
  float value;
  bool nothing;
  if (isSmooth) {
    vec2 corner = floor(place - 0.5), part = place - 0.5 - corner;
    ivec2 low = ivec2(corner), high = low + ivec2(greaterThan(part, vec2(0)));
    vec4 four = vec4(at(low), at(ivec2(high.x, low.y)), at(ivec2(low.x, high.y)), at(high));
    nothing = isNothing(four.x) || isNothing(four.y) || isNothing(four.z) || isNothing(four.w);
    value = mix(mix(four.x, four.y, part.x), mix(four.z, four.w, part.x), part.y);
  } else {
    value = at(ivec2(floor(place)));
    nothing = isNothing(value);
  }
  float shade = clamp((value - range.x) * range.y, 0.0, 255.0);
  colour = texelFetch(colours, ivec2(nothing ? 0 : int(shade), 0), 0);
}`;

const KINDS = new Map([
  [Uint8Array, { sampler: "usampler2D", inside: "R8UI", outside: "RED_INTEGER", type: "UNSIGNED_BYTE" }],
  [Uint16Array, { sampler: "usampler2D", inside: "R16UI", outside: "RED_INTEGER", type: "UNSIGNED_SHORT" }],
  [Float32Array, { sampler: "sampler2D", inside: "R32F", outside: "RED", type: "FLOAT" }],
]);

/** An image: columns are the fast axis. `data` is a Uint8Array, Uint16Array or Float32Array and stays as it is. */
export class Samples {
  #reduced = new Map();

  constructor(data, width, height) {
    if (!KINDS.has(data.constructor)) data = Float32Array.from(data);
    if (!(width > 0 && height > 0) || data.length < width * height) {
      throw new RangeError(`${data.length} samples came for an image of ${width} x ${height}`);
    }
    this.data = data;
    this.width = width;
    this.height = height;
  }

  get isFloat() {
    return this.data instanceof Float32Array;
  }

  /** The sample of a column and row, or undefined outside. */
  at(column, row) {
    return column >= 0 && row >= 0 && column < this.width && row < this.height ? this.data[row * this.width + column] : undefined;
  }

  /** Means of right x down samples, powers of two; a rest at the edges is left out. */
  reduced(right, down) {
    const key = `${right} ${down}`;
    if (!this.#reduced.has(key)) this.#reduced.set(key, right * down === 1 ? this : means(this, right, down));
    return this.#reduced.get(key);
  }
}

function means({ data, width, height }, right, down) {
  const columns = Math.floor(width / right), rows = Math.floor(height / down);
  const made = new Float32Array(columns * rows), sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let y = row * down; y < (row + 1) * down; y++) {
      for (let column = 0, from = y * width; column < columns; column++) {
        for (let x = 0; x < right; x++) sums[column] += data[from++];
      }
    }
    for (let column = 0; column < columns; column++) made[row * columns + column] = sums[column] / (right * down);
  }
  return new Samples(made, columns, rows);
}

/** How many samples, a power of two, become one of at least a pixel. */
function binsFor(density, size) {
  return 2 ** Math.min(Math.max(0, Math.floor(Math.log2(1 / density) + 1e-9)), Math.floor(Math.log2(size)));
}

/** The context, and the textures in it. */
class Device extends EventTarget {
  #gl;
  #programs = {};
  #textures = new Map(); // Samples to {pieces, bytes}: those drawn last at the end
  #tables = new Map();
  #bytes = 0;
  #lost = false;

  constructor() {
    super();
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.canvas.height = 64;
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.#lost = true;
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.#begin();
      this.#lost = false;
      this.dispatchEvent(new Event("restored"));
    });
    this.#gl = this.canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, stencil: false });
    if (this.#gl) this.#begin();
  }

  /** One sentence where nothing can be drawn, else "". */
  get problem() {
    return this.#gl ? "" : "This browser has no WebGL 2, which draws the pictures.";
  }

  get isReady() {
    return Boolean(this.#gl) && !this.#lost;
  }

  /** The longest side of a texture; a test makes it smaller. */
  largest = 0;

  #begin() {
    this.#programs = {};
    this.#textures.clear();
    this.#tables.clear();
    this.#bytes = 0;
    this.largest ||= this.#gl.getParameter(this.#gl.MAX_TEXTURE_SIZE);
    this.#gl.bindVertexArray(this.#gl.createVertexArray());
  }

  /**
   * Draws images into a picture of width x height device pixels: `scale` device pixels per unit, and (0, 0) at `origin`.
   * An image has `samples` with their upper left edge at `x`, `y`, `step` apart (both axes, or [x, y]); `core` [left, top, right,
   * bottom] is the part that is shown; `table` has 256 colours; `levels` [low, high]; `mirrored` swaps left and right within
   * its place; `added` adds it to what is below. Returns whether it could draw; the picture is at the lower left of `canvas` until
   * the next one.
   */
  draw(images, { width, height, scale, origin, surround }) {
    if (!this.isReady) return false;
    const gl = this.#gl;
    if (this.canvas.width < width) this.canvas.width = width;
    if (this.canvas.height < height) this.canvas.height = height;
    gl.viewport(0, 0, width, height);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(0, 0, width, height);
    gl.clearColor(...surround.map((part) => part / 255), 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const frame = { width, height, scale, origin };
    for (const image of images.filter((one) => one.added)) this.#blacken(image, frame);
    for (const image of images) this.#drawImage(image, frame);
    return !gl.isContextLost();
  }

  /** Copies what draw() made into a canvas of two dimensions. */
  copyTo(context, width, height) {
    context.drawImage(this.canvas, 0, this.canvas.height - height, width, height, 0, 0, width, height);
  }

  /** Gives textures back; they are made anew when they are needed. */
  forget(samples) {
    for (const known of [...this.#textures.keys()]) {
      if (known === samples || known.origin === samples) this.#remove(known);
    }
  }

  #remove(samples) {
    const { pieces, bytes } = this.#textures.get(samples);
    for (const piece of pieces) this.#gl.deleteTexture(piece.texture);
    this.#bytes -= bytes;
    this.#textures.delete(samples);
  }

  /** Restricts drawing to a rectangle in edge coordinates; false where nothing of it is in the picture. */
  #restrict([left, top, right, bottom], { width, height, scale, origin }) {
    const x0 = Math.max(0, Math.round(origin[0] + left * scale)), x1 = Math.min(width, Math.round(origin[0] + right * scale));
    const y0 = Math.max(0, Math.round(origin[1] + top * scale)), y1 = Math.min(height, Math.round(origin[1] + bottom * scale));
    if (x1 <= x0 || y1 <= y0) return false;
    this.#gl.scissor(x0, height - y1, x1 - x0, y1 - y0);
    return true;
  }

  #blacken(image, frame) {
    const { samples, x = 0, y = 0 } = image, [right, down] = stepOf(image);
    if (!this.#restrict([x, y, x + samples.width * right, y + samples.height * down], frame)) return;
    this.#gl.clearColor(0, 0, 0, 1);
    this.#gl.clear(this.#gl.COLOR_BUFFER_BIT);
  }

  #drawImage(image, frame) {
    const gl = this.#gl, { x = 0, y = 0, levels: [low, high], mirrored = false } = image, [right, down] = stepOf(image);
    const whole = image.samples, core = image.core ?? [x, y, x + whole.width * right, y + whole.height * down];
    const bins = image.core ? [1, 1] : [binsFor(frame.scale * right, whole.width), binsFor(frame.scale * down, whole.height)];
    const samples = whole.reduced(...bins);
    if (samples !== whole) samples.origin = whole;
    const pitch = [frame.scale * right * bins[0], frame.scale * down * bins[1]];
    // What means leave out at the right is at the left of a mirrored image.
    const begin = mirrored ? x + (whole.width - samples.width * bins[0]) * right : x;
    const program = this.#program(samples);
    gl.useProgram(program.program);
    gl.uniform2f(program.of("origin"), frame.origin[0] + begin * frame.scale, frame.origin[1] + y * frame.scale);
    gl.uniform2f(program.of("pitch"), ...pitch);
    gl.uniform1f(program.of("height"), frame.height);
    gl.uniform1f(program.of("columns"), samples.width);
    gl.uniform1i(program.of("isMirrored"), mirrored);
    gl.uniform1i(program.of("isSmooth"), frame.scale * Math.min(right, down) <= NEAREST);
    gl.uniform2f(program.of("range"), low, 256 / (high - low));
    gl.uniform1i(program.of("samples"), 0);
    gl.uniform1i(program.of("colours"), 1);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#table(image.table));
    gl.activeTexture(gl.TEXTURE0);
    if (image.added) gl.enable(gl.BLEND);
    else gl.disable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE);
    for (const piece of this.#pieces(samples)) {
      const part = piece.inside.map((edge, i) => edge * bins[i % 2] * (i % 2 ? down : right));
      // The last piece reaches to the edge, over a rest that means leave out.
      if (piece.isLast[0]) part[2] = whole.width * right;
      if (piece.isLast[1]) part[3] = whole.height * down;
      if (mirrored) [part[0], part[2]] = [whole.width * right - part[2], whole.width * right - part[0]];
      const shown = [Math.max(core[0], x + part[0]), Math.max(core[1], y + part[1]), Math.min(core[2], x + part[2]), Math.min(core[3], y + part[3])];
      if (!this.#restrict(shown, frame)) continue;
      gl.bindTexture(gl.TEXTURE_2D, piece.texture);
      gl.uniform2i(program.of("first"), piece.x, piece.y);
      gl.uniform2i(program.of("size"), piece.width, piece.height);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
  }

  #program(samples) {
    const { sampler } = KINDS.get(samples.data.constructor);
    return (this.#programs[sampler] ??= new Program(this.#gl, VERTEX, fragment(sampler)));
  }

  #table(colours) {
    if (!this.#tables.has(colours)) {
      const gl = this.#gl, texture = newTexture(gl), full = new Uint8Array(1024).fill(255);
      for (let i = 0; i < 256; i++) full.set(colours.subarray(3 * i, 3 * i + 3), 4 * i);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, full);
      this.#tables.set(colours, texture);
    }
    return this.#tables.get(colours);
  }

  /** Textures of an image; one that is larger than a texture can be is cut, and pieces share a sample at their seams. */
  #pieces(samples) {
    let known = this.#textures.get(samples);
    if (known) this.#textures.delete(samples); // to the end of the order
    else known = { pieces: [...this.#cut(samples)], bytes: samples.width * samples.height * samples.data.BYTES_PER_ELEMENT };
    if (!this.#textures.has(samples)) this.#textures.set(samples, known);
    if (!known.isCounted) this.#bytes += known.bytes;
    known.isCounted = true;
    for (const old of [...this.#textures.keys()]) {
      if (this.#bytes <= MOST_BYTES || old === samples) break;
      this.#remove(old);
    }
    return known.pieces;
  }

  *#cut(samples) {
    const gl = this.#gl, { inside, outside, type } = KINDS.get(samples.data.constructor), most = this.largest;
    const size = (length) => (length <= most ? length : most - 2);
    const across = size(samples.width), down = size(samples.height);
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, samples.width);
    for (let top = 0; top < samples.height; top += down) {
      for (let left = 0; left < samples.width; left += across) {
        const right = Math.min(samples.width, left + across), bottom = Math.min(samples.height, top + down);
        const x = Math.max(0, left - 1), y = Math.max(0, top - 1);
        const width = Math.min(samples.width, right + 1) - x, height = Math.min(samples.height, bottom + 1) - y;
        const texture = newTexture(gl);
        const from = samples.data.subarray(y * samples.width + x);
        gl.texImage2D(gl.TEXTURE_2D, 0, gl[inside], width, height, 0, gl[outside], gl[type], from);
        yield { texture, x, y, width, height, inside: [left, top, right, bottom], isLast: [right === samples.width, bottom === samples.height] };
      }
    }
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, 0);
  }
}

function stepOf({ step = 1 }) {
  return Array.isArray(step) ? step : [step, step];
}

export function newTexture(gl, kind = gl.TEXTURE_2D, filter = gl.NEAREST) {
  const texture = gl.createTexture();
  gl.bindTexture(kind, texture);
  for (const name of ["TEXTURE_MIN_FILTER", "TEXTURE_MAG_FILTER"]) gl.texParameteri(kind, gl[name], filter);
  for (const name of ["TEXTURE_WRAP_S", "TEXTURE_WRAP_T", "TEXTURE_WRAP_R"]) gl.texParameteri(kind, gl[name], gl.CLAMP_TO_EDGE);
  return texture;
}

/** A program of two shaders; of() gives the place of a uniform. */
export class Program {
  #places = new Map();

  constructor(gl, vertex, fragment) {
    this.gl = gl;
    this.program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const [vertexShader, fragmentShader] = gl.getAttachedShaders(this.program);
      throw new Error(gl.getProgramInfoLog(this.program) || gl.getShaderInfoLog(vertexShader) || gl.getShaderInfoLog(fragmentShader));
    }
  }

  of(name) {
    if (!this.#places.has(name)) this.#places.set(name, this.gl.getUniformLocation(this.program, name));
    return this.#places.get(name);
  }
}

let shared = null;

/** The one of this page. */
export function device() {
  return (shared ??= new Device());
}
