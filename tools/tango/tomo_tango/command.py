# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tomo-tango takes. Tango reads its options itself; these are those that people need, for --help, the manual page and shells."""

import argparse

ABOUT = """A Tango device server for reconstructions and dataflows: the class Process has the interface of UFO's server, over jobs,
TangoOnlineReconstruction that of Concert's on-line reconstruction. Its devices come from Tango's database, from a file, or from
the command line."""


def parser():
    made = argparse.ArgumentParser(prog="tomo-tango", description=" ".join(ABOUT.split()))
    made.add_argument("instance", help="name of this server in the database")
    made.add_argument("-nodb", action="store_true", help="run without the database")
    made.add_argument("-dlist", metavar="DEVICE,...", help="devices to make without the database: DOMAIN/FAMILY/MEMBER of Process, or CLASS::DOMAIN/FAMILY/MEMBER")
    made.add_argument("-file", metavar="FILE", help="take devices and their properties from a file in place of the database (-file=FILE)")
    made.add_argument("-ORBendPoint", metavar="giop:tcp:HOST:PORT", help="where to listen; without, Tango takes a free port")
    made.add_argument("-v4", action="store_true", help="write all that Tango does to standard output")
    return made
