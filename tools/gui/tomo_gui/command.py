# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tomo-gui takes; without Qt, so that others can read it."""

import argparse


def parser():
    made = argparse.ArgumentParser(prog="tomo-gui", description="See a scan, set its axis, get its volume.")
    made.add_argument("scan", nargs="*", help="a scan: an HDF5 file, a scanner's file, a folder of images; several are a list")
    made.add_argument("--live", nargs="?", const="", metavar="SOURCE",
                      help="begin with the place Live; SOURCE starts: demo, elements of GStreamer, or a scan that is played")
    made.add_argument("--config", metavar="FILE", help="settings, such as tomo-reconstruct init writes")
    made.add_argument("--queue", metavar="FOLDER", help="folder of the jobs (default: GST_TOMO_JOBS, else that of tomo-jobs)")
    made.add_argument("--theme", choices=("dark", "light"), help="for this window (default: that of the last one)")
    return made
