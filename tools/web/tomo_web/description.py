# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The OpenAPI description, where FastAPI and pydantic of Debian 12 do not write what version 3.0 wants."""

from fastapi.openapi.utils import get_flat_models_from_routes
from pydantic.schema import get_model_name_map

TEXTS = {400: "No such request", 401: "Not logged in", 403: "Not for this person, or from another page", 404: "Nothing is there", 405: "Not so",
         408: "Too slow", 409: "Not now", 413: "Too large", 422: "A value is wrong", 429: "Too often", 503: "Too busy"}
MISTAKE = {"title": "Mistake", "type": "object", "required": ["error"], "properties": {
    "error": {"type": "string"}, "field": {"type": "string", "nullable": True}}}


def complete_description(app):
    """Has an application describe itself with the form of all errors, with what may be null, and with bounds as version 3.0 has them."""
    make = app.openapi

    def describe():
        description = make()
        schemas = description["components"]["schemas"]
        schemas.setdefault("Mistake", MISTAKE)
        for model, name in get_model_name_map(get_flat_models_from_routes(app.routes)).items():
            for field in getattr(model, "__fields__", {}).values():
                if field.allow_none and field.alias in schemas[name].get("properties", {}):
                    schemas[name]["properties"][field.alias] = _or_null(schemas[name]["properties"][field.alias])
        for operations in description["paths"].values():
            for operation in operations.values():
                _tell_mistakes(operation["responses"])
        _bound(description)
        return description
    app.openapi = describe


def _tell_mistakes(responses):
    mistake = {"application/json": {"schema": {"$ref": "#/components/schemas/Mistake"}}}
    for status, text in TEXTS.items():
        there = responses.get(str(status), {})
        responses[str(status)] = {**there, "description": there.get("description", text), "content": mistake}


def _or_null(schema):
    """What stands beside $ref does not count."""
    return {"allOf": [schema], "nullable": True} if "$ref" in schema else {**schema, "nullable": True}


def _bound(some):
    """Bounds that do not belong to the range are numbers in JSON schema, and marks in OpenAPI 3.0."""
    if isinstance(some, dict):
        for exclusive, inclusive, step in (("exclusiveMaximum", "maximum", -1), ("exclusiveMinimum", "minimum", 1)):
            bound = some.get(exclusive)
            if isinstance(bound, (int, float)) and not isinstance(bound, bool):
                if some.get("type") == "integer":
                    del some[exclusive]
                    some[inclusive] = int(bound) + step
                else:
                    some[inclusive], some[exclusive] = bound, True
    for inner in some.values() if isinstance(some, dict) else some if isinstance(some, list) else ():
        _bound(inner)
