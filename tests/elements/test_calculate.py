# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocalculate against the same expression in numpy."""

from tomotest import *
from elementtest import ElementTestCase, Stream

TOLERANCE = 1e-6


class Calculate(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomocalculate", {"expression": "0.0f", "dimensions": (1, 1, 2)})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                a = random_array(FORMATS[name], (3, 7))
                (sample,) = run('tomocalculate expression="v * 0.5f + 3"', [a], samples=True, framerate=25)
                self.assert_close(to_array(sample), a.astype(np.float64) * 0.5 + 3, TOLERANCE)
                structure = sample.get_caps().get_structure(0)
                self.assertEqual(structure.get_string("format"), "float32")
                self.assertEqual(structure.get_fraction("framerate")[1:], (25, 1))

    def test_complex_samples_are_two_floats(self):
        a = random_array(np.complex64, (3, 4))
        (result,) = run('tomocalculate expression="v * 2 + x"', [a])
        self.assertEqual(result.dtype, np.complex64)
        wanted = a.view(np.float32) * 2.0 + np.arange(24).reshape(3, 8)
        self.assert_close(result.view(np.float32), wanted, TOLERANCE)
        (result,) = run('tomocalculate dimensions=2 expression="x + width * y"', [a])
        np.testing.assert_array_equal(result.view(np.float32).ravel(), np.arange(24))

    def test_the_default_is_zero(self):
        np.testing.assert_array_equal(run("tomocalculate", [random_array(np.float32, (2, 3))])[0], 0)

    def test_functions(self):
        a = np.abs(random_array(np.float32, (5, 11))) + np.float32(0.5)
        for expression, wanted in (
            ("log(v) + sqrt(v)", lambda v: np.log(v) + np.sqrt(v)),
            ("v > 1 ? exp(-v) * M_PI_F : pown(v, 3)", lambda v: np.where(v > 1, np.exp(-v) * np.pi, v**3)),
        ):
            with self.subTest(expression=expression):
                (result,) = run(f'tomocalculate expression="{expression}"', [a])
                self.assert_close(result, wanted(a.astype(np.float64)), TOLERANCE)

    def test_index(self):
        arrays = [random_array(np.float32, shape) for shape in ((1, 1), (7, 1), (3, 5), (2, 3, 5))]
        results = run('tomocalculate expression="x + 100 * size + 10000 * ((x - size) / 2)"', arrays)
        for a, result in zip(arrays, results, strict=True):
            x = np.arange(a.size).reshape(a.shape)
            half = -((a.size - x) // 2)  # integers, and signed ones
            np.testing.assert_array_equal(result, x + 100 * a.size + 10000 * half)

    def test_column_and_row(self):
        arrays = [random_array(np.float32, shape) for shape in ((1, 1), (4, 7), (2, 3, 5))]
        line = 'tomocalculate dimensions=2 expression="%s"'
        for expression, wanted in (
            (
                "x + 10 * y + 100 * width + 1000 * height + 10000 * index",
                lambda x, y, w, h, i: x + 10 * y + 100 * w + 1000 * h + 10000 * i,
            ),
            ("(x - width) / 2 + 100 * (y - height)", lambda x, y, w, h, i: -((w - x) // 2) + 100 * (y - h)),
        ):
            for a, result in zip(arrays, run(line % expression, arrays), strict=True):
                with self.subTest(expression=expression, shape=a.shape):
                    y, x = np.indices(a.shape)[-2:]
                    index = np.arange(a.size).reshape(a.shape)
                    np.testing.assert_array_equal(result, wanted(x, y, *a.shape[:-3:-1], index))

    def test_nan(self):
        a = random_array(np.float32, (3, 5))
        a[1, 2:4] = np.nan, np.inf
        (result,) = run('tomocalculate expression="isnan(v) ? -1 : v * NAN"', [a])
        np.testing.assert_array_equal(result, np.where(np.isnan(a), -1, np.nan))
        np.testing.assert_array_equal(run('tomocalculate expression="v"', [a])[0], a)

    def test_comments(self):
        a = random_array(np.float32, (2, 3))
        (result,) = run('tomocalculate expression="v + // a comment\n 1"', [a])
        self.assert_close(result, a + 1.0, TOLERANCE)

    def test_quotes_are_no_part_of_an_expression(self):
        a = random_array(np.float32, (2, 3))
        for expression in ("'v * 2'", "v * sizeof \\\"v\\\"", "v + /* of '1' */ 'a'"):
            with self.subTest(expression=expression):
                line = f'tomocalculate expression="{expression}"'
                self.assert_fails(["expression is", "quote", "leave out the quotes"], line, [a])
        self.assert_fails(["leave out the quotes"], "tomocalculate expression='v + 1'", [a])
        (result,) = run('tomocalculate expression="v /* isn\'t \\" */ + 1 // that\'s \\"\n + 1"', [a])
        self.assert_close(result, a + 2.0, TOLERANCE)

    def test_memory(self):
        arrays = [random_array(np.float32, (3, 7)) for _ in range(5)]
        self.check_memory(
            'tomocalculate expression="v * 3"',
            arrays,
            reference=[a * 3.0 for a in arrays],
            tolerance=TOLERANCE,
        )

    def test_state_cycles(self):
        arrays = [random_array(np.float32, (3, 7)) for _ in range(3)]
        self.check_state_cycles(
            'tomocalculate expression="v * 3"',
            arrays,
            reference=[a * 3.0 for a in arrays],
            tolerance=TOLERANCE,
        )

    def test_changes_while_playing(self):
        a = random_array(np.float32, (3, 5))
        with Stream('tomocalculate name=c expression="v * 3"') as stream:
            self.assert_close(stream.through(a), a * 3.0, TOLERANCE)
            stream["c"].set_property("expression", "v - 1")
            self.assert_close(stream.through(a), a - 1.0, TOLERANCE)
            stream["c"].set_property("dimensions", 2)
            stream["c"].set_property("expression", "y")
            self.assert_close(stream.through(a), np.indices(a.shape)[0], TOLERANCE)
            stream["c"].set_property("expression", "no such thing")
            with self.assertRaises(PipelineError) as caught:
                stream.through(a)
            self.assertIn("no such thing", str(caught.exception))

    def test_caps_changes(self):
        arrays = [
            random_array(t, s)
            for t, s in ((np.float32, (3, 5)), (np.uint16, (4, 2)), (np.float32, (2, 3, 5)))
        ]
        for a, result in zip(arrays, run('tomocalculate expression="v * 0.5f"', arrays), strict=True):
            self.assert_close(result, a * 0.5, TOLERANCE)

    def test_errors(self):
        a = random_array(np.float32, (3, 5))
        for expression, words in (
            ("v +", ["v +", "expression:2"]),
            ("nothing(v)", ["nothing"]),
            ("v; }", ["v; }"]),
            ("w", ["'w'"]),
            ("", ["expression", "empty"]),
        ):
            with self.subTest(expression=expression):
                self.assert_fails(words, f'tomocalculate expression="{expression}"', [a])
        self.assert_fails(["'y'"], 'tomocalculate dimensions=1 expression="y"', [a])


if __name__ == "__main__":
    main()
