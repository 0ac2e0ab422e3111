// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"

// HDF5 files that stay readable when the process that writes them is killed.
//
// The library changes a file's structure in place, one piece after the other, and a file in between can't be
// read. So the pieces are held back until the library flushes: then they go to FILE.journal, from there to
// their places, and the journal is removed. Whoever is killed before leaves the file as it was after the
// flush before; whoever is killed in between leaves a complete journal, with which the next one to open the
// file completes it. New samples go to the file at once, behind its end, where no structure points to yet;
// those that take the place of others wait for the flush, too.
namespace tomo::io {

// Makes files that are opened with `access` to be written do so.
void hdf5_use_journal(hid_t access);

// To be called for each file that is opened: the library flushes for the first time in the middle of creating
// a file, whose parts would not belong together. With `fsync`, a flush puts samples on the disk before the
// structure that points to them, and ends when that is there, too: then the file also outlives a machine that
// stops.
void hdf5_begin_to_flush(hid_t file, bool fsync);

// Lets go of everything that was not flushed, for good: the file can be closed then, also where nothing more
// can be written to it, and is as it was after the last flush.
void hdf5_give_up(hid_t file);

// The errno of what went wrong when the last file was closed, once; the library itself closes a file in any
// case.
int hdf5_close_error();

void hdf5_remove_partial(const std::string &partial);
void hdf5_remove_journal(const std::string &file);

// Completes a file that a killed process left with a journal. Does nothing for any other, nor where a process
// that is alive writes it. Throws where the file may not be written.
// Where there are no locks, whoever only reads takes a writer for alive that was at it within the last
// minute.
void hdf5_recover(const std::string &path, bool to_write);

} // namespace tomo::io
