# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A volume in perspective, drawn by OpenGL 3.3 in a thread of its own, into pictures.

The window never waits for a picture, and draws its widgets as ever: a widget of OpenGL in it would have all of the window
composed by OpenGL, which takes long where a processor does that."""

import ctypes
import dataclasses
import threading
import time

import numpy as np

from ._qt import QtCore, QtGui, Signal

BAND = 0.04        # seconds of drawing after which something newer may come first
MOST_STEPS = 4096  # along a ray

_VERTEX = """#version 330 core
out vec2 at;
void main() {
    vec2 corner = vec2((gl_VertexID & 1) * 4 - 1, (gl_VertexID & 2) * 2 - 1);  // one triangle over all of the picture
    at = corner * vec2(1, -1);                                              // the first row is the uppermost one
    gl_Position = vec4(corner, 0, 1);
}
"""

# Texture coordinates: x columns, y rows, z slices, each from 0 to 1. The first slice is the nearest one, its first row above.
_FRAGMENT = """#version 330 core
in vec2 at;
out vec4 colour;
uniform sampler3D volume;
uniform sampler2D colours;
uniform vec3 size, low, high;  // of the volume, longest side 1; of what is shown of it, in texture coordinates
uniform mat3 turn;             // from the view to the volume
uniform vec2 extent, pan;      // half the width and height that are seen in the middle of the volume, and its place
uniform float distance;        // of the eye from there; 0 for parallel rays
uniform float stride;          // between samples
uniform float strides;         // of those for which opacities count
uniform vec2 window;           // black and white, as values of the texture
uniform int mode;              // 0 maximum, 1 transfer function
uniform int most;

void main() {
    vec3 from = distance > 0 ? vec3(pan, distance) : vec3(at * extent + pan, 4);
    vec3 along = distance > 0 ? normalize(vec3(at * extent, -distance)) : vec3(0, 0, -1);
    vec3 flip = vec3(1, -1, -1);
    vec3 begin = turn * from / size * flip + 0.5;
    vec3 way = turn * along / size * flip;
    vec3 safe = mix(way, vec3(1e-9), lessThan(abs(way), vec3(1e-9)));
    vec3 one = (low - begin) / safe, other = (high - begin) / safe;
    vec3 entry = min(one, other), leave = max(one, other);
    float first = max(max(entry.x, entry.y), max(entry.z, 0.0));
    float last = min(leave.x, min(leave.y, leave.z));
    colour = vec4(0);
    if (first >= last)
        return;
    int count = min(most, int((last - first) / stride + 0.5) + (mode == 1 ? 1 : 0));
    count = max(count, 1);
    float scale = 1.0 / (window.y - window.x);
    vec3 place = begin + way * (first + 0.5 * min(stride, last - first)), step = way * stride;
    if (mode == 0) {
        float largest = 0;
        for (int i = 0; i < count; i++) {
            largest = max(largest, texture(volume, place).r);
            place += step;
        }
        float shade = clamp((largest - window.x) * scale, 0, 0.99999);
        colour = vec4(texelFetch(colours, ivec2(int(shade * 256), 0), 0).rgb, 1);
        return;
    }
    float clear = 1;
    vec3 light = vec3(0), texel = 1.0 / vec3(textureSize(volume, 0)), towards = normalize(vec3(0.4, 0.5, 1) * turn);
    for (int i = 0; i < count; i++) {
        float value = texture(volume, place).r, shade = (value - window.x) * scale;
        vec4 sampled = texelFetch(colours, ivec2(int(clamp(shade, 0, 0.99999) * 256), 0), 0);
        if (sampled.a > 0) {
            float opacity = 1 - pow(1 - sampled.a, strides);
            // Surfaces are lit where values change much, and noise is left alone.
            vec3 slope = vec3(texture(volume, place + vec3(texel.x, 0, 0)).r, texture(volume, place + vec3(0, texel.y, 0)).r,
                              texture(volume, place + vec3(0, 0, texel.z)).r) - value;
            slope *= scale * flip;
            float steep = length(slope);
            float lit = mix(1.0, 0.35 + 0.85 * abs(dot(slope, towards)) / max(steep, 1e-6), clamp(4 * steep - 0.2, 0, 1));
            light += clear * opacity * lit * sampled.rgb;
            clear *= 1 - opacity;
            if (clear < 0.005)
                break;
        }
        place += step;
    }
    colour = vec4(min(light, vec3(1 - clear)), 1 - clear);  // already multiplied
}
"""


@dataclasses.dataclass(frozen=True)
class Scene:
    """What is drawn. Shapes of arrays are those of numpy."""
    width: int = 1
    height: int = 1
    turn: tuple = ((1, 0, 0), (0, 1, 0), (0, 0, 1))  # rows of the matrix from the volume to the view
    zoom: float = 1.0               # 1: a height of ROOM is seen, in which the longest side of the volume is 1
    pan: tuple = (0.0, 0.0)         # what is seen in the middle, right and up
    perspective: bool = True
    low: tuple = (0.0, 0.0, 0.0)    # x, y, z of the part that is shown, each 0 to 1
    high: tuple = (1.0, 1.0, 1.0)
    mode: int = 0                   # 0 maximum, 1 transfer function
    levels: tuple = (0.0, 1.0)      # values that are black and white
    table: bytes = b""              # 256 colours RGBA
    is_final: bool = True           # False: fewer and larger samples, for now


ROOM = 1.5          # of the longest side, as height of the view at zoom 1
DISTANCE = 2.8      # of the eye from the middle


def extent_of(scene):
    """Half the width and half the height that are seen in the middle of the volume."""
    half = ROOM / 2 / scene.zoom
    return half * scene.width / scene.height, half


class RayCaster(QtCore.QObject):
    """Draws the newest scene, in bands, and gives up on it where a newer one comes. close() ends its thread."""

    drawn = Signal(object, object)  # a QImage and its Scene
    failed = Signal(str)            # OpenGL does not do: one sentence

    def __init__(self, parent=None):
        super().__init__(parent)
        self._surface = QtGui.QOffscreenSurface()  # which the thread of the window has to make
        self._surface.setFormat(_format())
        self._surface.create()
        self._wake = threading.Condition()
        self._scene = self._samples = None
        self._ends = False
        self.seconds = 0.0  # for the last final picture
        self._thread = threading.Thread(target=self._run, name="ray caster", daemon=True)
        QtCore.QCoreApplication.instance().aboutToQuit.connect(self.close)

    def start(self):
        self._thread.start()

    def show_volume(self, samples, size):
        """Real samples (z, y, x), and the lengths of its sides (x, y, z)."""
        with self._wake:
            self._samples = samples, tuple(size)
            self._wake.notify()

    def show_scene(self, scene):
        with self._wake:
            self._scene = scene
            self._wake.notify()

    def close(self):
        with self._wake:
            self._ends = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self):
        try:
            context = QtGui.QOpenGLContext()
            context.setFormat(_format())
            if not context.create() or not context.makeCurrent(self._surface):
                raise RuntimeError("no context")
            version = tuple(context.format().version())
            if version < (3, 3):
                raise RuntimeError(f"OpenGL {version[0]}.{version[1]} came")
            painter = _Painter()
        except Exception as error:  # PyOpenGL has its own, as has a missing module
            self.failed.emit(f"This view needs OpenGL 3.3, which is not there ({error}).")
            return
        try:
            self._loop(painter)
        except Exception as error:
            try:
                self.failed.emit(f"OpenGL failed ({error}).")
            except RuntimeError:  # the window is gone
                pass
        finally:
            context.doneCurrent()

    def _loop(self, painter):
        while True:
            with self._wake:
                while not self._ends and (self._scene is None or (self._samples is None and not painter.has_volume)):
                    self._wake.wait()
                if self._ends:
                    return
                (scene, self._scene), (samples, self._samples) = (self._scene, None), (self._samples, None)
            if samples is not None:
                painter.load(*samples)
            picture = painter.draw(scene, lambda: self._scene is not None or self._samples is not None or self._ends)
            if picture is not None:
                if scene.is_final:
                    self.seconds = painter.seconds
                self.drawn.emit(picture, scene)
            elif self._scene is None:  # a volume came without a scene
                with self._wake:
                    self._scene = self._scene or scene


def _format():
    wanted = QtGui.QSurfaceFormat()
    wanted.setVersion(3, 3)
    wanted.setProfile(QtGui.QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    return wanted


class _Painter:
    """Calls of OpenGL, in the thread of its context."""

    def __init__(self):
        from OpenGL import GL
        self._gl = gl = GL
        self._program = gl.glCreateProgram()
        for kind, text in ((gl.GL_VERTEX_SHADER, _VERTEX), (gl.GL_FRAGMENT_SHADER, _FRAGMENT)):
            shader = gl.glCreateShader(kind)
            gl.glShaderSource(shader, text)
            gl.glCompileShader(shader)
            if not gl.glGetShaderiv(shader, gl.GL_COMPILE_STATUS):
                raise RuntimeError(gl.glGetShaderInfoLog(shader).decode().splitlines()[0])
            gl.glAttachShader(self._program, shader)
        gl.glLinkProgram(self._program)
        if not gl.glGetProgramiv(self._program, gl.GL_LINK_STATUS):
            raise RuntimeError(gl.glGetProgramInfoLog(self._program).decode().splitlines()[0])
        gl.glUseProgram(self._program)
        gl.glBindVertexArray(gl.glGenVertexArrays(1))
        self._volume, self._colours, self._target = gl.glGenTextures(3)
        self._frame = gl.glGenFramebuffers(1)
        gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, self._frame)
        self._size = None
        self.has_volume, self.seconds = False, 0.0
        self.most = int(gl.glGetIntegerv(gl.GL_MAX_3D_TEXTURE_SIZE))
        gl.glUniform1i(self._place("volume"), 0)
        gl.glUniform1i(self._place("colours"), 1)

    def _place(self, name):
        return self._gl.glGetUniformLocation(self._program, name)

    def load(self, samples, sides):
        self._samples, self._range = samples, None
        depth, rows, columns = samples.shape
        longest = max(sides)
        self._sides = [side / longest for side in sides]
        self._voxel = min(side / count for side, count in zip(self._sides, (columns, rows, depth)))
        self.has_volume = True

    def _fit_range(self, scene):
        """The texture holds 256 steps of a range around the levels, anew where these have left it or have become fine."""
        low, high = scene.levels
        if self._range is not None:
            least, largest = self._range
            if (least <= low and high <= largest and high - low >= (largest - least) / 6) or not scene.is_final:
                return
        if self._samples.dtype == np.uint8:
            if self._range is None:
                self._range = 0.0, 255.0
                self._upload(np.ascontiguousarray(self._samples))
            return
        margin = (high - low) / 2
        self._range = least, largest = low - margin, high + margin
        shades = np.empty(self._samples.shape, np.uint8)
        for z, image in enumerate(self._samples):  # in parts, so that it needs little memory
            with np.errstate(all="ignore"):
                part = np.clip((image.astype(np.float32) - np.float32(least)) * np.float32(255 / (largest - least)) + 0.5, 0, 255)
                shades[z] = np.nan_to_num(part, copy=False)
        self._upload(shades)

    def _upload(self, samples):
        gl = self._gl
        gl.glActiveTexture(gl.GL_TEXTURE0)
        gl.glBindTexture(gl.GL_TEXTURE_3D, self._volume)
        for name in (gl.GL_TEXTURE_MIN_FILTER, gl.GL_TEXTURE_MAG_FILTER):
            gl.glTexParameteri(gl.GL_TEXTURE_3D, name, gl.GL_LINEAR)
        for name in (gl.GL_TEXTURE_WRAP_S, gl.GL_TEXTURE_WRAP_T, gl.GL_TEXTURE_WRAP_R):
            gl.glTexParameteri(gl.GL_TEXTURE_3D, name, gl.GL_CLAMP_TO_EDGE)
        gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 1)
        depth, rows, columns = samples.shape
        gl.glTexImage3D(gl.GL_TEXTURE_3D, 0, gl.GL_R8, columns, rows, depth, 0, gl.GL_RED, gl.GL_UNSIGNED_BYTE, samples)

    def _resize(self, width, height):
        if self._size == (width, height):
            return
        gl = self._gl
        gl.glActiveTexture(gl.GL_TEXTURE2)
        gl.glBindTexture(gl.GL_TEXTURE_2D, self._target)
        gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA8, width, height, 0, gl.GL_BGRA, gl.GL_UNSIGNED_BYTE, None)
        gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MIN_FILTER, gl.GL_NEAREST)
        gl.glFramebufferTexture2D(gl.GL_FRAMEBUFFER, gl.GL_COLOR_ATTACHMENT0, gl.GL_TEXTURE_2D, self._target, 0)
        if gl.glCheckFramebufferStatus(gl.GL_FRAMEBUFFER) != gl.GL_FRAMEBUFFER_COMPLETE:
            raise RuntimeError(f"no picture of {width} x {height} can be drawn")
        self._size = width, height

    def _set(self, scene, stride):
        gl = self._gl
        gl.glUniform3f(self._place("size"), *self._sides)
        gl.glUniform3f(self._place("low"), *scene.low)
        gl.glUniform3f(self._place("high"), *scene.high)
        # The inverse of a rotation is its transpose, which is also how OpenGL reads rows.
        gl.glUniformMatrix3fv(self._place("turn"), 1, False, np.array(scene.turn, np.float32))
        gl.glUniform2f(self._place("extent"), *extent_of(scene))
        gl.glUniform2f(self._place("pan"), *scene.pan)
        gl.glUniform1f(self._place("distance"), DISTANCE if scene.perspective else 0.0)
        gl.glUniform1f(self._place("stride"), stride)
        gl.glUniform1f(self._place("strides"), stride / self._voxel)
        least, largest = self._range
        gl.glUniform2f(self._place("window"), *((value - least) / (largest - least) for value in scene.levels))
        gl.glUniform1i(self._place("mode"), scene.mode)
        gl.glUniform1i(self._place("most"), MOST_STEPS)
        gl.glActiveTexture(gl.GL_TEXTURE1)
        gl.glBindTexture(gl.GL_TEXTURE_2D, self._colours)
        gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MIN_FILTER, gl.GL_NEAREST)
        gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA8, 256, 1, 0, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, scene.table)

    def draw(self, scene, is_outdated):
        """A QImage; None where something newer came meanwhile."""
        gl = self._gl
        part = 1 if scene.is_final else 2
        width, height = max(1, scene.width // part), max(1, scene.height // part)
        self._fit_range(scene)
        self._resize(width, height)
        self._set(scene, self._voxel * (1 if scene.is_final else 2))
        gl.glViewport(0, 0, width, height)
        gl.glEnable(gl.GL_SCISSOR_TEST)
        began, top, rows = time.perf_counter(), 0, 32
        while top < height:
            rows = min(rows, height - top)
            begin = time.perf_counter()
            gl.glScissor(0, top, width, rows)
            gl.glDrawArrays(gl.GL_TRIANGLES, 0, 3)
            gl.glFinish()
            top += rows
            if top < height and scene.is_final and is_outdated():
                return None
            rows = max(8, min(height, int(rows * min(4, BAND / max(1e-4, time.perf_counter() - begin)))))
        self.seconds = time.perf_counter() - began
        samples = np.empty((height, width, 4), np.uint8)
        gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
        gl.glReadPixels(0, 0, width, height, gl.GL_BGRA, gl.GL_UNSIGNED_BYTE, samples.ctypes.data_as(ctypes.c_void_p))
        picture = QtGui.QImage(samples.data, width, height, 4 * width, QtGui.QImage.Format.Format_ARGB32_Premultiplied)
        return picture.copy()
