-- gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
-- SPDX-License-Identifier: LGPL-2.1-or-later

-- ghc runjson.hs $(pkg-config --libs-only-L --libs-only-l gsttomo-1.0) && ./runjson FILE: runs a dataflow from a JSON file.
module Main (main) where

import Control.Monad (when)
import Foreign
import Foreign.C
import System.Environment (getArgs)
import System.Exit (ExitCode (..), exitFailure, exitWith)
import System.IO (hPutStrLn, stderr)

data Graph
data GError

foreign import ccall "gst_init" gstInit :: Ptr CInt -> Ptr (Ptr CString) -> IO ()
foreign import ccall "gst_tomo_graph_new_from_file" newFromFile :: CString -> Ptr (Ptr GError) -> IO (Ptr Graph)
foreign import ccall "gst_tomo_graph_run" run :: Ptr Graph -> Ptr (Ptr GError) -> IO CInt
foreign import ccall "g_object_unref" unref :: Ptr a -> IO ()

-- Ends the program with the message of the library.
failWith :: Ptr (Ptr GError) -> IO ()
failWith place = do
  problem <- peek place
  peekByteOff problem 8 >>= peekCString >>= hPutStrLn stderr
  exitFailure

main :: IO ()
main = do
  arguments <- getArgs
  file <- case arguments of
    [name] -> return name
    _ -> hPutStrLn stderr "usage: runjson FILE" >> exitWith (ExitFailure 2)
  gstInit nullPtr nullPtr
  with nullPtr $ \problem -> do
    graph <- withCString file (`newFromFile` problem)
    when (graph == nullPtr) $ failWith problem
    done <- run graph problem
    when (done == 0) $ failWith problem
    unref graph
