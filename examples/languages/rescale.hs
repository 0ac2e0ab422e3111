-- gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
-- SPDX-License-Identifier: LGPL-2.1-or-later

-- ghc rescale.hs $(pkg-config --libs-only-L --libs-only-l gsttomo-1.0) && ./rescale: scales the images in sinograms/ down into output.h5,
-- and tells how far it is.
module Main (main) where

import Control.Monad (when)
import Foreign
import Foreign.C
import System.Exit (exitFailure)
import System.IO (hPutStrLn, stderr)

data Graph
data Node
data GError

type OnProgress = Ptr Graph -> Word64 -> Word64 -> Word64 -> Ptr () -> IO ()

foreign import ccall "gst_init" gstInit :: Ptr CInt -> Ptr (Ptr CString) -> IO ()
foreign import ccall "gst_tomo_graph_new" newGraph :: IO (Ptr Graph)
foreign import ccall "gst_tomo_graph_add_node" addNode :: Ptr Graph -> CString -> CString -> Ptr (Ptr GError) -> IO (Ptr Node)
foreign import ccall "gst_tomo_graph_connect_elements"
  connectElements :: Ptr Graph -> Ptr Node -> Ptr Node -> CUInt -> Ptr (Ptr GError) -> IO CInt
foreign import ccall "gst_tomo_graph_run" run :: Ptr Graph -> Ptr (Ptr GError) -> IO CInt
foreign import ccall "gst_util_set_object_arg" setProperty :: Ptr Node -> CString -> CString -> IO ()
foreign import ccall "g_signal_connect_data"
  connectSignal :: Ptr Graph -> CString -> FunPtr OnProgress -> Ptr () -> FunPtr () -> CInt -> IO CULong
foreign import ccall "g_object_unref" unref :: Ptr a -> IO ()
foreign import ccall "wrapper" wrapped :: OnProgress -> IO (FunPtr OnProgress)

-- Ends the program with the message of the library.
failWith :: Ptr (Ptr GError) -> IO ()
failWith place = do
  problem <- peek place
  peekByteOff problem 8 >>= peekCString >>= hPutStrLn stderr
  exitFailure

main :: IO ()
main = do
  gstInit nullPtr nullPtr
  with nullPtr $ \problem -> do
    graph <- newGraph
    let add task property value = do
          node <- withCString task $ \name -> addNode graph name nullPtr problem
          when (node == nullPtr) $ failWith problem
          withCString property $ withCString value . setProperty node
          return node
        connect from to = do
          good <- connectElements graph from to 0 problem
          when (good == 0) $ failWith problem
    images <- add "read" "path" "sinograms/*.tif"
    rescale <- add "rescale" "factor" "0.5"
    output <- add "write" "filename" "output.h5:/raw"
    connect images rescale
    connect rescale output
    listener <- wrapped $ \_ _ duration done _ -> putStrLn (show done ++ " of " ++ show duration)
    _ <- withCString "progress" $ \name -> connectSignal graph name listener nullPtr nullFunPtr 0
    good <- run graph problem
    when (good == 0) $ failWith problem
    unref graph
