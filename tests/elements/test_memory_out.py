# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomemoryout into the memory of numpy arrays."""

from tomotest import *
from elementtest import ElementTestCase, Stream


def line(room, size=None):
    size = room.nbytes if size is None else size
    return f"tomomemoryout name=m pointer={room.ctypes.data} max-size={size} NOSINK"


class MemoryOut(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomomemoryout", {"pointer": (0, 0, 2**64 - 1), "max-size": (0, 0, 2**64 - 1)})

    def test_every_format_and_size(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, (3, 5)) for _ in range(4)]
                room = np.zeros((4, 3, 5), dtype)
                run(line(room), arrays)
                np.testing.assert_array_equal(room, arrays)
        for shape in ((1, 1), (2, 3, 5), (31, 97)):
            with self.subTest(shape=shape):
                array, room = random_array(np.float32, shape), np.zeros(shape, np.float32)
                run(line(room), [array])
                np.testing.assert_array_equal(room, array)

    def test_nan(self):
        array = random_array(np.float32, (3, 4))
        array[1, 2] = np.nan
        room = np.zeros_like(array)
        run(line(room), [array])
        np.testing.assert_array_equal(room, array)

    def test_from_the_device(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(6)]
        for before in (
            "tomoupload ! tomodownload",
            'tomocalculate expression="v"',
            'tomoupload ! tomocalculate expression="v" ! queue',
        ):
            with self.subTest(before=before):
                room = np.zeros((6, 3, 5), np.float32)
                run(f"{before} ! {line(room)}", arrays)
                np.testing.assert_array_equal(room, arrays)

    def test_strides_are_packed(self):
        """Odd widths of video have padded rows."""
        room = np.zeros((4, 5), np.uint8)
        run(
            "videotestsrc num-buffers=1 pattern=white ! video/x-raw,format=GRAY8,width=5,height=4 ! "
            "tomoconvert ! "
            + line(room)
        )
        np.testing.assert_array_equal(room, np.full((4, 5), room[0, 0]))
        self.assertGreater(room[0, 0], 200)

    def test_the_rest_stays(self):
        array, room = random_array(np.float32, (2, 3)), np.full(20, 7, np.float32)
        run(line(room), [array, array])
        np.testing.assert_array_equal(room[:12], np.tile(array.ravel(), 2))
        np.testing.assert_array_equal(room[12:], 7)

    def test_in_and_out(self):
        images, room = random_array(np.float32, (5, 3, 4)), np.zeros((5, 3, 4), np.float32)
        run(f"tomomemoryin pointer={images.ctypes.data} width=4 height=3 number=5 ! {line(room)}")
        np.testing.assert_array_equal(room, images)

    def test_a_seek_starts_at_the_front_again(self):
        images, room = random_array(np.float32, (5, 3, 4)), np.zeros((5, 3, 4), np.float32)
        source = f"tomomemoryin pointer={images.ctypes.data} width=4 height=3 number=5"
        with Stream(f"{source} ! {line(room)}", inputs=0, play=False) as stream:
            stream.pipeline.set_state(Gst.State.PAUSED)
            stream.pipeline.get_state(Gst.CLOCK_TIME_NONE)
            stream.pipeline.seek(
                1.0, Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, 1, Gst.SeekType.NONE, -1
            )
            stream.play()
            stream.finish()
        np.testing.assert_array_equal(room[:4], images[1:])
        np.testing.assert_array_equal(room[4], 0)

    def test_caps_changes(self):
        arrays = [random_array(np.float32, (2, 3)), random_array(np.uint16, (1, 4))]
        room = np.zeros(32, np.uint8)
        run(line(room), arrays)
        np.testing.assert_array_equal(
            room, np.frombuffer(arrays[0].tobytes() + arrays[1].tobytes(), np.uint8)
        )

    def test_state_cycles(self):
        room = np.zeros((2, 3), np.float32)
        with Stream(line(room), play=False) as stream:
            for state in (Gst.State.NULL, Gst.State.READY, Gst.State.NULL):
                array = random_array(np.float32, (2, 3))  # from the front each time
                stream.sent = [0]
                stream.play()
                stream.push(array)
                stream.finish()
                np.testing.assert_array_equal(room, array)
                stream.pipeline.set_state(state)

    def test_errors(self):
        array = random_array(np.float32, (2, 3))
        room = np.full((3, 2, 3), 7, np.float32)
        self.assert_fails(["max-size=71", "48", "24"], line(room, room.nbytes - 1), [array] * 3)
        np.testing.assert_array_equal(room[:2], [array, array])
        np.testing.assert_array_equal(room[2], 7)  # nothing is half written
        self.assert_fails("max-size=0", line(room, 0), [array])
        self.assert_fails("pointer is not set", "tomomemoryout max-size=100 NOSINK", [array])


if __name__ == "__main__":
    main()
