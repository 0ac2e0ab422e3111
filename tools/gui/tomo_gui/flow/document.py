# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A dataflow while it is drawn: nodes, links, groups, and the ways back. It knows no window.

    document = Document(catalogue)
    ball = document.add("metaballs")
    null = document.add("null")
    document.connect(ball, "", null, "sink")
    document.undo()

Links name the pads at both ends; an empty output is the first one, as in JSON. The JSON that comes out is that of
tomo-runjson, with a member "layout" for the places of nodes and for groups. Each change is one step back."""

import json
from dataclasses import replace

from . import catalogue as elements
from .dataflow import Binding, DocumentError, Group, Link, Node, Refused, State, parsed, places_of, point, read, written  # noqa: F401
from .layout import arranged

MOST_STEPS = 200
A_FILE = "file.h5:/entry/data/data"  # where arrays are written, as an example


class Document:
    def __init__(self, catalogue):
        self.catalogue = catalogue
        self.path = None
        self.listeners = []  # called after each change
        self._state = State()
        self._saved = self._state
        self._back, self._forth = [], []  # (label, state)
        self._series = None  # what may go on in the same step

    # Looking

    @property
    def nodes(self):
        return self._state.nodes

    @property
    def links(self):
        return self._state.links

    @property
    def bindings(self):
        return self._state.bindings

    @property
    def groups(self):
        return self._state.groups

    @property
    def is_changed(self):
        return self._state != self._saved

    def node(self, name):
        return next((node for node in self.nodes if node.name == name), None)

    def element(self, name):
        """The Element of a node; None if it is not installed here."""
        node = self.node(name)
        return self.catalogue.find(node.plugin) if node else None

    def inputs(self, name):
        """The names of input pads to draw."""
        used = [link.input for link in self.links if link.target == name]
        element = self.element(name)
        return list(dict.fromkeys([*(element.shown_inputs(used) if element else []), *used]))

    def outputs(self, name):
        used = [link.output for link in self.links if link.source == name and link.output]
        element = self.element(name)
        shown = [port.name for port in element.outputs] if element else []
        return list(dict.fromkeys([*shown, *(pad for pad in used if not element or element.output_port(pad) is None)])) or (
            ["src"] if any(link.source == name for link in self.links) else [])

    def drawn_output(self, link):
        """The name under which the output of a link is drawn."""
        element = self.element(link.source)
        port = element.output_port(link.output) if element else None
        return port.name if port else link.output or self.outputs(link.source)[0]

    def leads_to(self, start, end):
        seen, waiting = set(), [start]
        while waiting:
            name = waiting.pop()
            for link in self.links:
                if link.source == name and link.target not in seen:
                    seen.add(link.target)
                    waiting.append(link.target)
        return end in seen

    def output_caps(self, name, output, depth=0):
        """What a node can give there, also through queues and the like. None: not known."""
        element = self.element(name)
        port = element.output_port(output) if element else None
        if port is None:
            return None
        caps = port.caps
        if element.factory == "capsfilter" and self.node(name).properties.get("caps"):
            caps = str(self.node(name).properties["caps"])
        if element.is_passing and depth < len(self.nodes):
            for link in self.links:
                before = self.output_caps(link.source, link.output, depth + 1) if link.target == name else None
                if before is not None:
                    return elements.joint(caps, before)
        return caps

    def input_caps(self, name, pad, depth=0):
        """What a node can take there, also those behind queues and the like."""
        element = self.element(name)
        port = element.input_port(pad) if element else None
        if port is None:
            return None
        caps = port.caps
        if element.is_passing and depth < len(self.nodes):
            for link in self.links:
                behind = self.input_caps(link.target, link.input, depth + 1) if link.source == name else None
                if behind is not None:
                    caps = elements.joint(caps, behind)
        return caps

    def why_not(self, source, output, target, pad):
        """Why these can't be linked, in a sentence; empty if they can."""
        a, b = self.element(source), self.element(target)
        if source == target:
            return f"{source} can't take its own output"
        if a and a.output_port(output) is None:
            return f"{source} has no output {output}"
        if b and b.input_port(pad) is None:
            return f"{target} has no input {pad}"
        if self.leads_to(target, source):
            return f"{target} already leads to {source}: a dataflow has no circles"
        given, taken = self.output_caps(source, output), self.input_caps(target, pad)
        if given is None or taken is None:
            return ""
        why = elements.why_not(given, taken)
        return f"{source} " + why.format(target) if why else ""

    def problems(self):
        """(node, sentence) of what keeps the dataflow from being run."""
        found = []
        if not self.nodes:
            found.append(("", "there is no node"))
        for node in self.nodes:
            element = self.catalogue.find(node.plugin)
            if element is None:
                found.append((node.name, f"there is no element {node.plugin} here"))
                continue
            if node.plugin == "write" and not node.properties.get("filename"):
                found.append((node.name, f"its filename is missing, such as {A_FILE}"))
            taken = {link.input for link in self.links if link.target == node.name}
            for port in element.inputs:
                if port.presence == "always" and port.name not in taken:
                    found.append((node.name, f"nothing is linked to its input {port.name}"))
            if element.inputs and not taken and not any(name == node.name for name, _ in found):
                found.append((node.name, "nothing is linked to its inputs"))
            gives = any(port.presence == "always" for port in element.outputs)
            if gives and not any(link.source == node.name for link in self.links):
                found.append((node.name, "nobody takes its output: link it, if only to null"))
            for port in element.inputs:
                numbers = sorted(int(pad[len(port.stem):]) for pad in taken if port.counts and port.matches(pad) and pad[len(port.stem):].isdigit())
                if port.is_numbered and numbers != list(range(len(numbers))):
                    found.append((node.name, f"its inputs have a gap: {port.stem}{next(n for n in range(len(numbers)) if numbers[n] != n)} is free"))
        for link in self.links:
            given, taken = self.output_caps(link.source, link.output), self.input_caps(link.target, link.input)
            why = elements.why_not(given, taken) if given is not None and taken is not None else ""
            if why:
                found.append((link.target, f"{link.source} {why.format(link.target)}"))
        return found

    # Changing

    def _change(self, label, state, series=None):
        if state == self._state:
            return
        if series is None or series != self._series:
            self._back.append((label, self._state))
            del self._back[:-MOST_STEPS]
        self._series = series
        self._forth.clear()
        self._state = state
        self._tell()

    def _tell(self):
        for listener in list(self.listeners):
            listener()

    def end_series(self):
        """The next change is a step of its own, also if it goes on with the last one."""
        self._series = None

    def _with_node(self, which, **changes):
        return tuple(replace(node, **changes) if node.name == which else node for node in self.nodes)

    def free_name(self, wanted, taken=()):
        names = {node.name for node in self.nodes} | set(taken)
        number, name = 1, wanted
        while name in names:
            name, number = f"{wanted}-{number}", number + 1
        return name

    def add(self, plugin, position=(0, 0), properties=None, package=""):
        """Returns the name of the new node."""
        name = self.free_name(plugin)
        node = Node(name, plugin, package, dict(properties or {}), point(position))
        self._change(f"add {name}", replace(self._state, nodes=(*self.nodes, node)))
        return name

    def add_on(self, link, plugin, position=(0, 0)):
        """A new node in the middle of a link, by its first input and output. Raises Refused."""
        element = self.catalogue.find(plugin)
        if element is None or not element.inputs or not element.outputs:
            raise Refused(f"{plugin} has no input and output to stand between two nodes")
        before = self._state
        name, pad = self.free_name(plugin), element.shown_inputs([])[0]
        node = Node(name, plugin, position=point(position))
        self._state = replace(before, nodes=(*self.nodes, node), links=tuple(one for one in self.links if one != link))
        try:
            why = self.why_not(link.source, link.output, name, pad)
            first = Link(link.source, link.output, name, pad)
            self._state = replace(self._state, links=(*self.links, first))
            why = why or self.why_not(name, "", link.target, link.input)
            after = replace(self._state, links=(*self.links, Link(name, "", link.target, link.input)))
        finally:
            self._state = before
        if why:
            raise Refused(why)
        self._change(f"insert {name}", after)
        return name

    def remove(self, names=(), links=()):
        names, links = set(names), set(links)
        groups = (replace(group, nodes=tuple(n for n in group.nodes if n not in names)) for group in self.groups)
        self._change("delete", State(
            tuple(node for node in self.nodes if node.name not in names),
            tuple(link for link in self.links if link not in links and link.source not in names and link.target not in names),
            tuple(b for b in self.bindings if b.source not in names and b.target not in names),
            tuple(group for group in groups if group.nodes)))

    def connect(self, source, output, target, pad, instead_of=None):
        """A new link, in place of the one at that input, and of another one that was drawn away. Raises Refused."""
        before = self._state
        rest = tuple(link for link in self.links if link != instead_of and (link.target, link.input) != (target, pad))
        element = self.element(source)
        first = element.outputs[0] if element and element.outputs else None
        output = "" if first is not None and first.matches(output) and output == first.name else output
        self._state = replace(before, links=rest)
        try:
            why = self.why_not(source, output, target, pad)
        finally:
            self._state = before
        if why:
            raise Refused(why)
        self._change("link", replace(before, links=(*rest, Link(source, output, target, pad))))

    def disconnect(self, *links):
        self.remove(links=links)

    def set_property(self, name, key, value):
        """None: the default, which is left out of the file."""
        properties = {k: v for k, v in self.node(name).properties.items() if k != key}
        if value is not None:
            properties[key] = value
        self._change(f"{key} of {name}", replace(self._state, nodes=self._with_node(name, properties=properties)), (name, key))

    def rename(self, old, new):
        """Raises Refused."""
        new = new.strip()
        if new == old:
            return
        if not new or self.node(new):
            raise Refused(f"there is another node {new}" if new else "a node needs a name")
        swap = lambda name: new if name == old else name  # noqa: E731
        self._change(f"rename {old}", State(
            self._with_node(old, name=new),
            tuple(replace(link, source=swap(link.source), target=swap(link.target)) for link in self.links),
            tuple(replace(b, source=swap(b.source), target=swap(b.target)) for b in self.bindings),
            tuple(replace(group, nodes=tuple(map(swap, group.nodes))) for group in self.groups)))

    def move(self, places):
        nodes = tuple(replace(node, position=point(places[node.name])) if node.name in places else node for node in self.nodes)
        self._change("move", replace(self._state, nodes=nodes))

    def group(self, title, names):
        """A node is in one group at most."""
        names = tuple(node.name for node in self.nodes if node.name in names)
        if not names:
            raise Refused("choose nodes to group them")
        rest = (replace(group, nodes=tuple(n for n in group.nodes if n not in names)) for group in self.groups)
        self._change("group", replace(self._state, groups=(*(group for group in rest if group.nodes), Group(title, names))))

    def ungroup(self, names):
        self._change("ungroup", replace(self._state, groups=tuple(group for group in self.groups if not set(group.nodes) & set(names))))

    def rename_group(self, group, title):
        self._change("rename a group", replace(self._state, groups=tuple(replace(one, title=title) if one == group else one for one in self.groups)))

    def group_of(self, name):
        return next((group for group in self.groups if name in group.nodes), None)

    def fold(self, names, is_folded):
        """Draws the groups of these nodes as one node each, or opens them again."""
        groups = tuple(replace(group, is_folded=is_folded) if set(group.nodes) & set(names) else group for group in self.groups)
        self._change("fold" if is_folded else "unfold", replace(self._state, groups=groups))

    def bind(self, source, result, target, key):
        """A property takes its values from what another node finds out; source None: no more."""
        rest = tuple(b for b in self.bindings if (b.target, b.property) != (target, key))
        if source == target:
            raise Refused(f"{target} can't take values from itself")
        self._change(f"{key} of {target}", replace(self._state, bindings=rest if source is None else (*rest, Binding(source, result, target, key))))

    def arrange(self):
        self.move(arranged(self))

    # Back and forth

    @property
    def undo_label(self):
        return self._back[-1][0] if self._back else None

    @property
    def redo_label(self):
        return self._forth[-1][0] if self._forth else None

    def undo(self):
        self._step(self._back, self._forth)

    def redo(self):
        self._step(self._forth, self._back)

    def _step(self, taken, given):
        if taken:
            label, state = taken.pop()
            given.append((label, self._state))
            self._state, self._series = state, None
            self._tell()

    # Copies

    def copied(self, names):
        """These nodes and the links between them as text, which is a dataflow of its own."""
        names = set(names)
        part = Document(self.catalogue)
        part._state = State(tuple(n for n in self.nodes if n.name in names),
                            tuple(link for link in self.links if {link.source, link.target} <= names),
                            tuple(b for b in self.bindings if {b.source, b.target} <= names),
                            tuple(g for g in self.groups if set(g.nodes) <= names))
        return part.to_json()

    def paste(self, text, offset=(40, 40)):
        """Returns the names of the new nodes. Raises DocumentError if the text is no dataflow."""
        state = self._state_of(parsed(text, "clipboard"), "clipboard")
        names, taken = {}, []
        for node in state.nodes:
            names[node.name] = self.free_name(node.name, taken)
            taken.append(names[node.name])
        nodes = tuple(replace(n, name=names[n.name], position=(n.position[0] + offset[0], n.position[1] + offset[1])) for n in state.nodes)
        self._change("paste", State(
            self.nodes + nodes,
            self.links + tuple(replace(link, source=names[link.source], target=names[link.target]) for link in state.links),
            self.bindings + tuple(replace(b, source=names[b.source], target=names[b.target]) for b in state.bindings),
            self.groups + tuple(replace(g, nodes=tuple(names[n] for n in g.nodes)) for g in state.groups)))
        return [node.name for node in nodes]

    # Files

    def load(self, text, origin="JSON", layout=None, is_saved=True):
        """Takes the place of all nodes; there is no way back beyond it. layout: one of another text, for a dataflow that was
        written anew. Raises DocumentError."""
        root = parsed(text, origin)
        if layout is not None:
            root["layout"] = layout
        self._state = self._state_of(root, origin)
        self._saved, self._series = self._state if is_saved else State(), None
        self._back.clear()
        self._forth.clear()
        self._tell()

    def saved(self, path):
        self.path, self._saved = path, self._state
        self._tell()

    def to_json(self, with_layout=True):
        return json.dumps(written(self._state, self.catalogue, with_layout), indent=2, ensure_ascii=False) + "\n"

    def _state_of(self, root, origin):
        return self._laid_out(read(root, self.catalogue, origin), root.get("layout"))

    def _laid_out(self, state, layout):
        """Nodes without a place get one."""
        places, groups = places_of(layout, {node.name for node in state.nodes})
        part = Document(self.catalogue)
        part._state = replace(state, groups=groups)
        automatic = {} if len(places) == len(state.nodes) else arranged(part)
        if places:  # those that have no place come below
            lowest = max(y for _, y in places.values())
            automatic = {name: (x, y + lowest + 160) for name, (x, y) in automatic.items()}
        return replace(part._state, nodes=tuple(replace(n, position=places.get(n.name) or automatic[n.name]) for n in state.nodes))
