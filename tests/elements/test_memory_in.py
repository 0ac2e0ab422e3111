# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomemoryin with the memory of numpy arrays, and with OpenCL buffers."""

import ctypes

from tomotest import *
from elementtest import DEVICE_CAPS, SYSTEM_CAPS, ElementTestCase, Stream


def line(images, **properties):
    """images: (number, height, width), or complex ones."""
    floats = images.view(np.float32) if np.iscomplexobj(images) else images
    number, height, width = floats.shape
    given = {
        "pointer": images.ctypes.data,
        "width": width,
        "height": height,
        "number": number,
        "bitdepth": 8 * floats.itemsize,
        "complex-layout": np.iscomplexobj(images),
        **properties,
    }
    return "tomomemoryin " + " ".join(f"{name}={value}" for name, value in given.items())


class MemoryIn(ElementTestCase):
    def test_properties(self):
        self.check_properties(
            "tomomemoryin",
            {
                "pointer": (0, 0, 2**64 - 1),
                "width": (1, 1, 131072),
                "height": (1, 1, 131072),
                "bitdepth": (32, 8, 32),
                "number": (1, 1, 131072),
                "complex-layout": False,
                "memory-location": ("host", {"host", "buffer"}),
            },
        )

    def test_every_format_and_size(self):
        for dtype in (np.uint8, np.uint16, np.float32, np.complex64):
            for shape in ((1, 1, 1), (4, 3, 7), (1, 31, 97), (3, 5, 1)):
                with self.subTest(format=dtype.__name__, shape=shape):
                    images = random_array(dtype, shape)
                    results = run(line(images))
                    wanted = images if np.iscomplexobj(images) else images.astype(np.float32)
                    self.assertEqual([r.dtype for r in results], [wanted.dtype] * shape[0])
                    np.testing.assert_array_equal(results, wanted)

    def test_nan(self):
        images = random_array(np.float32, (2, 3, 4))
        images[1, 1, 1] = np.nan
        np.testing.assert_array_equal(run(line(images)), images)

    def test_memory(self):
        for dtype in (np.uint16, np.float32):
            images = random_array(dtype, (3, 4, 5))
            for place in (SYSTEM_CAPS, DEVICE_CAPS):
                samples = run(f"{line(images)} ! {place}", samples=True)
                for sample, image in zip(samples, images, strict=True):
                    self.assertEqual(
                        sample.get_caps().get_features(0).contains("memory:TomoCL"), place == DEVICE_CAPS
                    )
                    np.testing.assert_array_equal(to_array(sample), image)

    def test_opencl_buffer(self):
        """A buffer that the application made in the context that it shares with the pipeline."""
        try:
            gi.require_version("GstTomo", "1.0")
        except ValueError:
            self.skipTest("built without GstTomo-1.0.typelib")
        from gi.repository import GstTomo

        opencl = ctypes.CDLL("libOpenCL.so.1")
        opencl.clCreateBuffer.restype = ctypes.c_void_p
        opencl.clCreateBuffer.argtypes = [
            ctypes.c_void_p,
            ctypes.c_uint64,
            ctypes.c_size_t,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        opencl.clReleaseMemObject.argtypes = [ctypes.c_void_p]
        copy_host_memory = 1 << 5
        context = GstTomo.Context.new(None)
        for dtype in (np.float32, np.uint8):
            images = random_array(dtype, (3, 4, 5))
            buffer = opencl.clCreateBuffer(
                context.get_handle(), copy_host_memory, images.nbytes, images.ctypes.data, None
            )
            self.assertTrue(buffer)
            try:
                description = line(images, pointer=buffer, **{"memory-location": "buffer"})
                with Stream(description, inputs=0, play=False) as stream:
                    stream.pipeline.set_context(context.to_context())
                    stream.play()
                    np.testing.assert_array_equal(stream.finish(), images)
                # Asked for more than there is.
                description = line(images, pointer=buffer, number=4, **{"memory-location": "buffer"})
                with Stream(description, inputs=0, play=False) as stream:
                    stream.pipeline.set_context(context.to_context())
                    stream.play()
                    with self.assertRaises(PipelineError) as caught:
                        stream.finish()
                    self.assertIn("pointer", str(caught.exception))
            finally:
                opencl.clReleaseMemObject(buffer)

    def test_times_and_numbers(self):
        images = random_array(np.float32, (3, 2, 2))
        samples = run(f"{line(images)} ! {SYSTEM_CAPS},framerate=10/1", samples=True)
        self.assertEqual([s.get_buffer().offset for s in samples], [0, 1, 2])
        self.assertEqual([s.get_buffer().pts for s in samples], [i * Gst.SECOND // 10 for i in range(3)])

    def test_duration_and_seek(self):
        images = random_array(np.float32, (5, 2, 3))
        with Stream(line(images), inputs=0) as stream:
            stream.pull()
            self.assertEqual(stream.pipeline.query_duration(Gst.Format.DEFAULT), (True, 5))
            stream.pipeline.seek(
                1.0, Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, 3, Gst.SeekType.NONE, -1
            )
            np.testing.assert_array_equal(stream.finish()[-2:], images[3:])

    def test_state_cycles(self):
        images = random_array(np.uint8, (3, 4, 5))
        with Stream(line(images), inputs=0, play=False) as stream:
            for state in (Gst.State.NULL, Gst.State.READY, Gst.State.NULL):
                stream.play()
                np.testing.assert_array_equal(stream.finish(), images)
                stream.pipeline.set_state(state)

    def test_errors(self):
        images = random_array(np.float32, (2, 3, 5))
        self.assert_fails("pointer is not set", "tomomemoryin")
        self.assert_fails(["bitdepth=24", "8, 16 and 32"], line(images, bitdepth=24))
        self.assert_fails(["complex-layout", "even width"], line(images, **{"complex-layout": True}))
        self.assert_fails(
            ["complex-layout", "bitdepth=32"], line(images, width=4, bitdepth=16, **{"complex-layout": True})
        )
        # Twice as many bytes as any address space has.
        with_pointer = f"tomomemoryin pointer={images.ctypes.data}"
        self.assert_fails("memory", f"{with_pointer} width=131072 height=131072 number=2")


if __name__ == "__main__":
    main()
