// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// The typelib GstTomo-1.0 from JavaScript.
imports.gi.versions.Gst = '1.0';
const { Gst, GstTomo } = imports.gi;

function check(condition, what) {
    if (!condition)
        throw new Error(what);
}

Gst.init(null);
const context = GstTomo.Context.new(null);
check(context.get_default_device().get_name().length > 0, 'a device has a name');

const info = GstTomo.ArrayInfo.new(GstTomo.Format.FLOAT32, 5, 7, 1);
check(info.get_size() === 140, 'size of an array');
check(info.to_caps(false).to_string().startsWith('application/x-tomo-array'), 'caps of an array');

const pipeline = Gst.parse_launch('tomodummydata number=3 width=5 height=7 init=2 ! tomocalculate expression="v*2" ! tomonull download=true');
pipeline.set_state(Gst.State.PLAYING);
const message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR);
pipeline.set_state(Gst.State.NULL);
check(message && message.type === Gst.MessageType.EOS, 'the pipeline ends');
print('ok');
