// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// The typelib GstTomo-1.0 from JavaScript.
imports.gi.versions.Gst = '1.0';
const { GLib, Gst, GstTomo } = imports.gi;

function check(condition, what) {
    if (!condition)
        throw new Error(what);
}

GLib.setenv('POCL_DEVICES', 'pthread pthread', true); // two devices of the processor
GLib.unsetenv('GST_TOMO_DEVICES');
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

const graph = GstTomo.Graph.new_from_line('dummy-data number=9 width=5 height=7 init=2 ! calculate name=c expression=v*2 ! null download=true');
check(JSON.parse(graph.to_json()).placement === undefined, 'no placement without devices');
graph.devices = 'all';
graph.continue_on_failure = true;
const json = JSON.parse(graph.to_json());
check(json.devices === 'all' && json['on-failure'] === 'continue', 'devices in JSON');
check(json.placement.length === 1 && json.placement[0].nodes.join() === 'c', 'the node that is placed');
check(json.placement[0].devices.map(device => device.index).join() === '0,1', 'the devices on which it is');
graph.run();
check(graph.get_device_arrays().n_children() === 2, 'the work of each device');
const again = GstTomo.Graph.new_from_json(graph.to_json());
check(again.devices === 'all' && again.continue_on_failure, 'devices from JSON');
graph.devices = '0,7';
let refused = '';
try {
    graph.run();
} catch (error) {
    refused = error.message;
}
check(refused.includes("'7'") && refused.includes('1: '), `an error lists the devices: ${refused}`);
print('ok');
