# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nodes and links as values that never change, and their JSON: that of tomo-runjson and UFO, with a member "layout" for the
places of nodes and for groups. An edge of JSON names an input by its number or its pad, a Link always by its pad; the empty
output is the first one in both."""

import json
from dataclasses import dataclass, field


class DocumentError(ValueError):
    """No dataflow, in words for the user."""


class Refused(ValueError):
    """A change that makes no sense, and why."""


@dataclass(frozen=True)
class Node:
    name: str
    plugin: str
    package: str = ""
    properties: dict = field(default_factory=dict)  # never changed in place
    position: tuple = (0, 0)


@dataclass(frozen=True)
class Link:
    source: str
    output: str
    target: str
    input: str


@dataclass(frozen=True)
class Binding:
    source: str
    result: str
    target: str
    property: str


@dataclass(frozen=True)
class Group:
    title: str
    nodes: tuple
    is_folded: bool = False  # drawn as one node


@dataclass(frozen=True)
class State:
    nodes: tuple = ()
    links: tuple = ()
    bindings: tuple = ()
    groups: tuple = ()


def parsed(text, origin):
    try:
        root = json.loads(text)
    except ValueError as error:
        raise DocumentError(f"{origin}: {error}") from None
    if not isinstance(root, dict):
        raise DocumentError(f"{origin}: wanted an object with nodes and edges")
    return root


def read(root, catalogue, origin):
    """The State, with all nodes in one place. Raises DocumentError."""
    nodes, names = [], set()
    all_nodes = _list(root, "nodes", origin, True)
    for number, one in enumerate(all_nodes):
        if not isinstance(one.get("plugin"), str):
            raise DocumentError(f"{origin}: node {number} has no plugin")
        name = one.get("name") or next(n for n in (one["plugin"], *(f"{one['plugin']}-{i}" for i in range(1, len(all_nodes) + 1))) if n not in names)
        if not isinstance(name, str) or name in names:
            raise DocumentError(f"{origin}: there are two nodes {name}" if name in names else f"{origin}: the name of node {number} is no text")
        names.add(name)
        nodes.append(Node(name, one["plugin"], one.get("package", ""), _properties_of(root, one, name, origin)))
    return State(tuple(nodes), tuple(_link_of(edge, nodes, catalogue, origin) for edge in _list(root, "edges", origin)),
                 tuple(_binding_of(one, names, origin) for one in _list(root, "bindings", origin)))


def _properties_of(root, one, name, origin):
    """A set of the root counts more than the node's own, as in the loader."""
    properties, sets = one.get("properties", {}), root.get("prop-sets", {})
    if not isinstance(properties, dict):
        raise DocumentError(f"{origin}: the properties of node {name} are no object")
    for reference in one.get("prop-refs", ()):
        if not isinstance(sets, dict) or not isinstance(sets.get(reference), dict):
            raise DocumentError(f"{origin}: node {name} refers to {reference}, which is not among the prop-sets")
        properties = {**properties, **sets[reference]}
    return properties


def _link_of(edge, nodes, catalogue, origin):
    def end(key, pad):
        value = edge.get(key)
        inner = value if isinstance(value, dict) else {"name": value}
        node = next((n for n in nodes if n.name == inner.get("name")), None)
        if node is None:
            raise DocumentError(f"{origin}: an edge names {inner.get('name')}, which is no node")
        return node.name, catalogue.find(node.plugin), inner.get(pad, edge.get(pad))

    source, a, output = end("from", "output")
    target, b, pad = end("to", "input")
    if isinstance(output, int):
        output = a.output_name(output) if a else f"output {output}"
        if output is None:
            raise DocumentError(f"{origin}: node {source} has no such output")
    pad = 0 if pad is None else pad
    if isinstance(pad, int):
        found = b.input_name(pad) if b else f"input {pad}"
        if found is None:
            raise DocumentError(f"{origin}: node {target} has no input {pad}")
        pad = found
    return Link(source, str(output or ""), target, str(pad))


def _binding_of(one, names, origin):
    ends = [one.get(key) if isinstance(one.get(key), dict) else {} for key in ("from", "to")]
    if any(end.get("name") not in names or not end.get("property") for end in ends):
        raise DocumentError(f"{origin}: a binding names no node and property")
    return Binding(ends[0]["name"], ends[0]["property"], ends[1]["name"], ends[1]["property"])


def _list(root, key, origin, required=False):
    found = root.get(key, None if required else [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise DocumentError(f"{origin}: there are no {key}" if found is None else f"{origin}: {key} is no list of objects")
    return found


def places_of(layout, names):
    """Places by name, and groups; what makes no sense is passed over, as it is for a run."""
    layout = layout if isinstance(layout, dict) else {}
    nodes, groups = layout.get("nodes"), layout.get("groups")
    places = {name: point(place) for name, place in (nodes if isinstance(nodes, dict) else {}).items() if name in names and _is_place(place)}
    found, taken = [], set()
    for group in groups if isinstance(groups, list) else ():
        members = group.get("nodes") if isinstance(group, dict) else None
        members = tuple(n for n in members if n in names and n not in taken) if isinstance(members, list) else ()
        if members:
            taken.update(members)
            found.append(Group(str(group.get("title", "")), members, group.get("folded") is True))
    return places, tuple(found)


def written(state, catalogue, with_layout):
    """The opposite of read(), as an object for JSON."""
    plugins = {node.name: node.plugin for node in state.nodes}
    nodes = [{"plugin": node.plugin, "name": node.name, **({"package": node.package} if node.package else {}),
              **({"properties": node.properties} if node.properties else {})} for node in state.nodes]
    edges = []
    for link in state.links:
        element = catalogue.find(plugins[link.target])
        # Of others with several inputs the registry does not tell the order.
        number = element.input_number(link.input) if element and (element.is_task or len(element.inputs) == 1) else None
        if element is None and link.input.removeprefix("input ").isdigit():  # as it was read
            number = int(link.input.removeprefix("input "))
        output = link.output
        if output.removeprefix("output ").isdigit():
            output = int(output.removeprefix("output "))
        edges.append({"from": {"name": link.source, **({"output": output} if output else {})},
                      "to": {"name": link.target, "input": link.input if number is None else number}})
    root = {"nodes": nodes, "edges": edges}
    if state.bindings:
        root["bindings"] = [{"from": {"name": b.source, "property": b.result}, "to": {"name": b.target, "property": b.property}} for b in state.bindings]
    if with_layout:
        root["layout"] = {"nodes": {node.name: list(node.position) for node in state.nodes},
                          **({"groups": [{"title": g.title, "nodes": list(g.nodes), **({"folded": True} if g.is_folded else {})} for g in state.groups]} if state.groups else {})}
    return root


def _is_place(place):
    return isinstance(place, (list, tuple)) and len(place) == 2 and all(isinstance(n, (int, float)) and abs(n) < 1e7 for n in place)


def point(place):
    return (round(place[0]), round(place[1]))
