# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which jobs begin: claims of devices, memory, places and sessions."""

import random
import unittest

from gsttomo.jobs._model import Kind
from gsttomo.jobs._schedule import Claim, Room
from jobtest import SEED


def claim(job, devices=None, memory=0, session=None):
    return Claim(job, devices, memory, session, Kind.DATAFLOW)


class ScheduleTest(unittest.TestCase):
    def choose(self, claims, devices=(0, 1), memory=100, places=9, **kwargs):
        return [(start.job, start.devices) for start in Room(devices, memory, places).choose(claims, **kwargs)]

    def test_devices(self):
        self.assertEqual(self.choose([claim(1), claim(2), claim(3)]), [(1, (0,)), (2, (1,))])
        self.assertEqual(self.choose([claim(1, (1,)), claim(2, (1,)), claim(3)]), [(1, (1,)), (3, (0,))])
        self.assertEqual(self.choose([claim(1, (1,)), claim(2)]), [(1, (1,)), (2, (0,))])
        self.assertEqual(self.choose([claim(1), claim(2, ()), claim(3, ())], devices=(0,)), [(1, (0,)), (2, ()), (3, ())])
        self.assertEqual(self.choose([claim(1)], preferred=lambda claim: (1,)), [(1, (1,))])

    def test_a_large_job_does_not_starve(self):
        """Free devices that it needs are kept for it, others are not."""
        self.assertEqual(self.choose([claim(1, (0,)), claim(2, (0, 1)), claim(3, (1,)), claim(4, (2,))], devices=(0, 1, 2)),
                         [(1, (0,)), (4, (2,))])
        self.assertEqual(self.choose([claim(1, (), 60), claim(2, (), 60), claim(3, (), 10)]), [(1, ())])

    def test_no_device_idles_for_a_job_that_waits_for_another(self):
        """Each claims its share of the memory, and one runs already."""
        room = Room((0, 1), 100, 2)
        room.take((0,), 50, None)
        self.assertEqual([start.job for start in room.choose([claim(1, (0,), 50), claim(2, None, 50)])], [2])

    def test_places_and_memory(self):
        self.assertEqual(self.choose([claim(n, ()) for n in range(5)], places=3), [(0, ()), (1, ()), (2, ())])
        self.assertEqual(self.choose([claim(1, (), 50), claim(2, (), 50)]), [(1, ()), (2, ())])

    def test_sessions_are_in_order(self):
        self.assertEqual(self.choose([claim(1, (), session="a"), claim(2, (), session="a"), claim(3, (), session="b")]), [(1, ()), (3, ())])

    def test_never_too_much(self):
        rng = random.Random(SEED)
        for _ in range(500):
            devices = range(rng.randint(0, 4))
            claims = [claim(n, rng.choice([None, (), tuple(d for d in devices if rng.random() < 0.5)]), rng.randint(0, 60),
                            rng.choice([None, "a", "b"])) for n in range(rng.randint(0, 12))]
            starts = list(Room(devices, 100, 5).choose(claims))
            taken = [device for start in starts for device in start.devices]
            sessions = [claims[start.job].session for start in starts if claims[start.job].session]
            self.assertEqual(len(taken), len(set(taken)), claims)
            self.assertEqual(len(sessions), len(set(sessions)), claims)
            self.assertLessEqual(sum(start.memory for start in starts), 100)
            self.assertLessEqual(len(starts), 5)
            if claims and (claims[0].devices is not None or devices):  # the first one always fits into an empty computer
                self.assertEqual(starts[0].job, 0)


if __name__ == "__main__":
    print(f"GST_TOMO_TEST_SEED={SEED}")
    unittest.main(verbosity=2)
