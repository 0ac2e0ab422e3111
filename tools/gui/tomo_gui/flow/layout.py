# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Places for the nodes of a dataflow, from left to right: each one right of those that it takes from, sources near their
first consumer, few crossings (layers by longest paths, then sweeps by the mean of the neighbours, after Sugiyama)."""

from .rooms import ROOMS

LEAST, GAP_X, GAP_Y, HEAD, ROW = 150, 50, 40, 78, 23
SWEEPS = 8


def width_of(document, name):
    """Nearly that of the node on the canvas, from the letters that it shows."""
    node, element = document.node(name), document.element(name)
    room = ROOMS.get(element.room, "") if element else "not installed here"
    ports = [max((len(pad) for pad in side), default=0) for side in (document.inputs(name), document.outputs(name))]
    return max(LEAST, 9 * len(name) + 44, 7.4 * (len(node.plugin) + len(room) + 3) + 28, 7.4 * sum(ports) + 48)


def height_of(document, name):
    return HEAD + ROW * max(len(document.inputs(name)), len(document.outputs(name)), 1)


def layers_of(names, links):
    """The layer of each node. A circle, which a file made by hand may have, is cut where it closes."""
    before = {name: set() for name in names}
    after = {name: set() for name in names}
    for link in links:
        before[link.target].add(link.source)
        after[link.source].add(link.target)
    layer, under_way = {}, set()

    def depth(name):
        stack = [name]
        while stack:
            one = stack[-1]
            under_way.add(one)
            missing = [other for other in before[one] if other not in layer and other not in under_way]
            if missing:
                stack.append(missing[0])
                continue
            layer[one] = max((layer[other] + 1 for other in before[one] if other in layer), default=0)
            under_way.discard(one)
            stack.pop()

    for name in names:
        if name not in layer:
            depth(name)
    for name in sorted(names, key=lambda n: -layer[n]):  # near the first consumer
        if after[name] and not before[name]:
            layer[name] = max(layer[name], min(layer[other] for other in after[name]) - 1)
    return layer


def arranged(document):
    """The place of each node, by its name."""
    names = [node.name for node in document.nodes]
    if not names:
        return {}
    layer = layers_of(names, document.links)
    order = [[name for name in names if layer[name] == number] for number in range(max(layer.values()) + 1)]
    sides = {name: [[], []] for name in names}  # neighbours on the left and on the right, with the places of their port and of the own one
    for link in document.links:
        given, taken = document.outputs(link.source).index(document.drawn_output(link)), document.inputs(link.target).index(link.input)
        sides[link.target][0].append((link.source, given, taken))
        sides[link.source][1].append((link.target, taken, given))
    for sweep in range(SWEEPS):
        side = sweep % 2
        for row in order if side == 0 else reversed(order):
            place = {name: i for one in order for i, name in enumerate(one)}

            def mean(name):
                near = [place[other] + theirs / 10 for other, theirs, _ in sides[name][side]]
                return sum(near) / len(near) if near else place[name]

            row.sort(key=mean)
    return _placed(document, order, sides)


def _placed(document, order, sides):
    heights = {name: height_of(document, name) for row in order for name in row}
    top = {}
    for row in order:
        below = None
        for name in row:
            near = [top[other] + ROW * (theirs - own) for other, theirs, own in sides[name][0] if other in top]
            wanted = sum(near) / len(near) if near else (0 if below is None else below)
            top[name] = wanted if below is None else max(wanted, below)
            below = top[name] + heights[name] + GAP_Y
    # Sources that were placed before their consumers were known follow them.
    for row in reversed(order[:-1]):
        below = None
        for name in row:
            near = [top[other] + ROW * (theirs - own) for other, theirs, own in sides[name][1]]
            wanted = sum(near) / len(near) if near and not sides[name][0] else top[name]
            top[name] = wanted if below is None else max(wanted, below)
            below = top[name] + heights[name] + GAP_Y
    least = min(top.values())
    lefts, left = [], 0
    for row in order:
        lefts.append(round(left))
        left += max(width_of(document, name) for name in row) + GAP_X
    return {name: (lefts[number], round(top[name] - least)) for number, row in enumerate(order) for name in row}
