# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests made of the OpenAPI description of tomo-web, so that tests find new addresses by themselves."""

import dataclasses
import json
import re

NUMBER = 1  # of the data set, job and result that there are


@dataclasses.dataclass
class Operation:
    """One method of one address."""
    method: str
    path: str
    about: dict
    schemas: dict

    @property
    def name(self):
        return f"{self.method} {self.path}"

    @property
    def changes(self):
        return self.method not in ("GET", "HEAD", "OPTIONS")

    @property
    def reads(self):
        """Whether it changes nothing although its method could."""
        return not self.changes or (self.method == "POST" and self.about.get("x-changes") is False)

    @property
    def parameters(self):
        return self.about.get("parameters", [])

    @property
    def content(self):
        """(type, schema) of the body, or None."""
        return next(((kind, about.get("schema", {})) for kind, about in self.about.get("requestBody", {}).get("content", {}).items()), None)

    def request(self, instead=None, text=None):
        """(path with query, headers, body), valid where it can be; the parameter, or the member of the body, named `instead` has the text."""
        path, query, headers = self.path, {}, {}
        for one in self.parameters:
            value = text if one["name"] == instead else self.value(one.get("schema", {}))
            if one["in"] == "path":
                path = path.replace(f"{{{one['name']}}}", _quoted(str(value)))
            elif one["in"] == "query" and (one.get("required") or one["name"] == instead):
                query[one["name"]] = value
            elif one["in"] == "header" and (one.get("required") or one["name"] == instead):
                headers[one["name"]] = str(value)
        body = None
        if self.content:
            kind, schema = self.content
            headers["Content-Type"] = kind
            whole = self.value(schema, instead, text)
            body = json.dumps(whole).encode() if kind == "application/json" else (text if instead == "body" else "x").encode(errors="replace")
        return path + ("?" + "&".join(f"{_quoted(name)}={_quoted(str(value))}" for name, value in query.items()) if query else ""), headers, body

    def places(self):
        """Names of all that takes a text: parameters, members of the body, the body itself."""
        found = [one["name"] for one in self.parameters]
        if self.content:
            kind, schema = self.content
            found += sorted(self._members(schema)) if kind == "application/json" else ["body"]
        return found

    def _resolved(self, schema):
        while "$ref" in schema or "allOf" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema["allOf"][0]
        return schema

    def _members(self, schema, deep=0):
        schema = self._resolved(schema)
        if deep > 4:
            return set()
        found = set(schema.get("properties", {}))
        for inner in (*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])):
            found |= self._members(inner, deep + 1)
        return found

    def value(self, schema, instead=None, text=None, deep=0):
        """The least that a schema takes, with all members that it names."""
        schema = self._resolved(schema)
        if "enum" in schema:
            return schema["enum"][0]
        if "anyOf" in schema:
            return self.value(schema["anyOf"][0], instead, text, deep + 1)
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            made = {name: text if name == instead else self.value(inner, instead, text, deep + 1)
                    for name, inner in schema.get("properties", {}).items() if name in schema.get("required", ()) or name == instead or deep == 0
                    or instead in self._members(inner)}
            if "properties" not in schema and instead:  # any members
                made[_ANY.get(instead, "scan")] = text
            return made
        if kind == "array":
            return [self.value(schema.get("items", {}), instead, text, deep + 1)]
        return {"integer": NUMBER, "number": 1.0, "boolean": False}.get(kind, text if text and instead and deep else "x")


_ANY = {"values": "scan", "settings": "output", "places": "scan"}


def operations(server):
    """All of a server, those that take things away last."""
    description = server.ask("GET", "/api/openapi.json").json
    found = [Operation(method.upper(), path, about, description["components"]["schemas"])
             for path, methods in description["paths"].items() for method, about in methods.items()]
    return sorted(found, key=lambda one: (one.method == "DELETE", one.path == "/api/session", one.name))


def _quoted(text):
    return re.sub(r"[^A-Za-z0-9_.~-]", lambda m: "".join(f"%{b:02X}" for b in m[0].encode(errors="replace")), text)
