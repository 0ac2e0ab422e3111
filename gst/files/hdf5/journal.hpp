// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"

// HDF5 files that stay readable when the process that writes them is killed.
//
// The library changes a file's structure in place, one piece after the other, and a half changed file can't
// be read. So the driver holds the pieces back until the library flushes. Then it writes them to
// FILE.journal, from there to their places, and removes the journal. A process that is killed before the
// journal is complete leaves the file as it was after the earlier flush. A process that is killed later
// leaves a complete journal, and the next process that opens the file completes the change. New samples go to
// the file at once, behind its end, where no structure points to yet; samples that replace others wait for
// the flush, too.
namespace tomo::io {

class JournaledFile;

// Makes the library use the journal for files that are opened with `access` for writing.
void hdf5_use_journal(hid_t access);

// Call this once for each open file. Earlier flushes are ignored, because the library first flushes in the
// middle of creating a file, when its parts do not fit together yet. With `fsync`, a flush syncs the samples
// before the structure that points to them, and ends when both are on the disk: then the file also survives a
// machine that stops.
void hdf5_begin_to_flush(hid_t file, bool fsync);

// The samples that the library writes from now on are only noted; their memory has to stay. The file that then
// writes them, which is no matter of the library: without Hdf5Lock, so that other files are written meanwhile.
// Null where the file has no journal.
JournaledFile *hdf5_defer_samples(hid_t file);

// Drops all changes since the last flush. The file can be closed then, even if it can't be written any more,
// and is as it was after that flush.
void hdf5_give_up(hid_t file);

// The errno of a failure while the last file was closed; the next call returns 0. The library itself closes a
// file in any case.
int hdf5_close_error();

void hdf5_remove_partial(const std::string &partial);
void hdf5_remove_journal(const std::string &file);

// Completes a file that a killed process left with a journal. Does nothing for other files, and for a file
// that a process is writing. Throws if the file may not be written. Without locks on the file system, and if
// `to_write` is false, a journal changed within the last minute means that its writer is alive.
void hdf5_recover(const std::string &path, bool to_write);

} // namespace tomo::io
