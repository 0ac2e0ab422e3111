// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// A small volume in perspective, by WebGL 2. As gsttomo.widgets draws it; a graphics card is not needed: where a picture takes
// long, it is drawn in bands, and what is newer comes first.

import { newTexture, Program } from "./gl.js";
import { SURROUND } from "./scalebar.js";

export const ROOM = 1.5, DISTANCE = 2.8; // of the longest side: height of the view at zoom 1, and of the eye from the middle
const BAND = 30; // ms of drawing after which something newer may come first
const MOST_STEPS = 1024;

const VERTEX = `#version 300 es
out vec2 at;
void main() {
  vec2 corner = vec2((gl_VertexID & 1) * 4 - 1, (gl_VertexID & 2) * 2 - 1);
  at = corner;
  gl_Position = vec4(corner, 0, 1);
}`;

// Texture coordinates: x columns, y rows, z slices, each from 0 to 1. The first slice is the nearest one, its first row above.
const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision mediump sampler3D;
in vec2 at;
out vec4 colour;
uniform sampler3D volume;
uniform sampler2D colours;
uniform vec3 size, low, high;  // of the volume, longest side 1; of what is shown of it, in texture coordinates
uniform mat3 turn;             // from the view to the volume
uniform vec2 extent, pan;      // half the width and height that are seen in the middle of the volume, and its place
uniform float far;             // of the eye from there; 0 for parallel rays
uniform float stride, strides; // between samples; of those for which opacities count
uniform vec2 range;            // black and white, as values of the texture
uniform bool isMaximum;
uniform vec3 ground;

void main() {
  vec3 from = far > 0.0 ? vec3(pan, far) : vec3(at * extent + pan, 4);
  vec3 along = far > 0.0 ? normalize(vec3(at * extent, -far)) : vec3(0, 0, -1);
  vec3 flip = vec3(1, -1, -1);
  vec3 begin = turn * from / size * flip + 0.5;
  vec3 way = turn * along / size * flip;
  vec3 safe = mix(way, vec3(1e-9), lessThan(abs(way), vec3(1e-9)));
  vec3 one = (low - begin) / safe, other = (high - begin) / safe;
  vec3 entry = min(one, other), leave = max(one, other);
  float first = max(max(entry.x, entry.y), max(entry.z, 0.0));
  float last = min(leave.x, min(leave.y, leave.z));
  colour = vec4(ground, 1);
  if (first >= last) return;
  int count = clamp(int((last - first) / stride + 0.5) + (isMaximum ? 0 : 1), 1, ${MOST_STEPS});
  float scale = 1.0 / (range.y - range.x);
  vec3 place = begin + way * (first + 0.5 * min(stride, last - first)), stepped = way * stride;
  if (isMaximum) {
    float largest = 0.0;
    for (int i = 0; i < count; i++) {
      largest = max(largest, texture(volume, place).r);
      place += stepped;
    }
    colour = vec4(texelFetch(colours, ivec2(int(clamp((largest - range.x) * scale, 0.0, 0.99999) * 256.0), 0), 0).rgb, 1);
    return;
  }
  float clear = 1.0;
  vec3 light = vec3(0), texel = 1.0 / vec3(textureSize(volume, 0)), towards = normalize(vec3(0.4, 0.5, 1) * turn);
  for (int i = 0; i < count; i++) {
    float value = texture(volume, place).r, shade = (value - range.x) * scale;
    vec4 sampled = texelFetch(colours, ivec2(int(clamp(shade, 0.0, 0.99999) * 256.0), 0), 0);
    if (sampled.a > 0.0) {
      float opacity = 1.0 - pow(1.0 - sampled.a, strides);
      // Surfaces are lit where values change much, and noise is left alone.
      vec3 slope = vec3(texture(volume, place + vec3(texel.x, 0, 0)).r, texture(volume, place + vec3(0, texel.y, 0)).r,
                        texture(volume, place + vec3(0, 0, texel.z)).r) - value;
      slope *= scale * flip;
      float steep = length(slope);
      float lit = mix(1.0, 0.35 + 0.85 * abs(dot(slope, towards)) / max(steep, 1e-6), clamp(4.0 * steep - 0.2, 0.0, 1.0));
      light += clear * opacity * lit * sampled.rgb;
      clear *= 1.0 - opacity;
      if (clear < 0.005) break;
    }
    place += stepped;
  }
  colour = vec4(min(light, vec3(1.0 - clear)) + clear * ground, 1);
}`;

/** Half the width and half the height that are seen in the middle of the volume. */
export function extentOf({ width, height, zoom }) {
  const half = ROOM / 2 / zoom;
  return [(half * width) / height, half];
}

/**
 * Draws the newest scene into its canvas. A scene: turn (rows of the matrix from the volume to the view, 9 numbers), zoom, pan
 * [right, up], perspective, low and high (x, y, z of the part that is shown, 0 to 1), maximum or not, levels [low, high], table
 * (256 colours RGBA), isFinal (else fewer and larger samples, for now).
 */
export class RayCaster extends EventTarget {
  #gl;
  #program = null;
  #brick = null;
  #volume = null;
  #colours = null;
  #target = null;
  #frame = null;
  #scene = null;
  #turn = 0; // number of the newest scene
  #canvas;
  #voxel = 1; // the shortest side of a sample
  milliseconds = 0; // that the last final picture took

  constructor(canvas) {
    super();
    this.#canvas = canvas;
    this.#gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true });
    if (!this.#gl) return;
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.#turn++;
      this.#program = null;
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.#begin();
      if (this.#scene) this.draw(this.#scene);
    });
    this.#begin();
  }

  get problem() {
    return this.#gl ? "" : "This browser has no WebGL 2, which draws the volume.";
  }

  #begin() {
    const gl = this.#gl;
    this.#program = new Program(gl, VERTEX, FRAGMENT);
    gl.bindVertexArray(gl.createVertexArray());
    [this.#colours, this.#target] = [newTexture(gl), newTexture(gl)];
    this.#frame = gl.createFramebuffer();
    this.#volume = null;
    if (this.#brick) this.#upload();
  }

  /** Shows {data, shape, range, sides?}: uint8 samples (z, y, x), the values of 0 and 255, and how long its sides are (x, y, z). */
  setBrick(brick) {
    this.#brick = brick;
    const counts = [...brick.shape].reverse();
    this.sides = (brick.sides ?? counts).map((side, _, all) => side / Math.max(...all));
    this.#voxel = Math.min(...this.sides.map((side, i) => side / counts[i]));
    if (this.#program) this.#upload();
  }
  #upload() {
    const gl = this.#gl, [depth, rows, columns] = this.#brick.shape;
    if (this.#volume) gl.deleteTexture(this.#volume);
    this.#volume = newTexture(gl, gl.TEXTURE_3D, gl.LINEAR);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.R8, columns, rows, depth, 0, gl.RED, gl.UNSIGNED_BYTE, this.#brick.data);
  }

  /** Draws a scene, in bands where that takes long; resolves to whether it was drawn to its end. */
  async draw(scene) {
    this.#scene = scene;
    const turn = ++this.#turn, gl = this.#gl;
    if (!this.#program || !this.#volume || !this.#canvas.width) return false;
    const part = scene.isFinal ? 1 : 2, width = Math.max(1, Math.round(this.#canvas.width / part)), height = Math.max(1, Math.round(this.#canvas.height / part));
    this.#prepare(scene, width, height);
    const began = performance.now(), pixel = new Uint8Array(4);
    for (let top = 0, rows = scene.isFinal ? 32 : height; top < height; ) {
      rows = Math.min(rows, height - top);
      const begin = performance.now();
      gl.bindFramebuffer(gl.FRAMEBUFFER, this.#frame);
      gl.viewport(0, 0, width, height);
      gl.scissor(0, top, width, rows);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      gl.readPixels(0, top, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel); // until it is drawn
      top += rows;
      const took = Math.max(0.1, performance.now() - begin);
      if (top < height && scene.isFinal && took > BAND / 4) {
        await new Promise((done) => setTimeout(done));
        if (turn !== this.#turn || !this.#program) return false;
      }
      rows = Math.max(4, Math.min(height, Math.floor(rows * Math.min(4, BAND / took))));
    }
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.#frame);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
    gl.disable(gl.SCISSOR_TEST);
    gl.blitFramebuffer(0, 0, width, height, 0, 0, this.#canvas.width, this.#canvas.height, gl.COLOR_BUFFER_BIT, part === 1 ? gl.NEAREST : gl.LINEAR);
    if (scene.isFinal) this.milliseconds = performance.now() - began;
    return true;
  }

  #prepare(scene, width, height) {
    const gl = this.#gl, { program } = this.#program, of = (name) => this.#program.of(name);
    gl.useProgram(program);
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D, this.#target);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.#target, 0);
    gl.enable(gl.SCISSOR_TEST);
    gl.disable(gl.BLEND);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#colours);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, scene.table);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_3D, this.#volume);
    const stride = this.#voxel * (scene.isFinal ? 1 : 2), [least, largest] = this.#brick.range;
    gl.uniform1i(of("volume"), 0);
    gl.uniform1i(of("colours"), 1);
    gl.uniform3fv(of("size"), this.sides);
    gl.uniform3fv(of("low"), scene.low);
    gl.uniform3fv(of("high"), scene.high);
    gl.uniformMatrix3fv(of("turn"), false, scene.turn); // read by columns: the transpose is the inverse
    gl.uniform2fv(of("extent"), extentOf({ width, height, zoom: scene.zoom }));
    gl.uniform2fv(of("pan"), scene.pan);
    gl.uniform1f(of("far"), scene.perspective ? DISTANCE : 0);
    gl.uniform1f(of("stride"), stride);
    gl.uniform1f(of("strides"), stride / this.#voxel);
    gl.uniform2fv(of("range"), scene.levels.map((value) => (value - least) / (largest - least)));
    gl.uniform1i(of("isMaximum"), scene.maximum);
    gl.uniform3fv(of("ground"), SURROUND.map((shade) => shade / 255));
  }

  /** Gives the context back. */
  close() {
    this.#turn++;
    this.#gl?.getExtension("WEBGL_lose_context")?.loseContext();
    this.#program = null;
  }
}
