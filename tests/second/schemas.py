"""The published JSON Schemas of the topics, as far as they use the language."""

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tests.second.entries import UUID
from tests.second.findings import Wrong, demand

Schema = Mapping[str, Any]
_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
_KNOWN = {
    "$schema", "$id", "title", "description", "type", "properties", "required", "items", "enum",
    "additionalProperties", "pattern", "format", "minLength", "maxLength", "minItems", "maxItems",
    "minimum", "maximum",
}  # fmt: skip
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def load(folder: Path) -> dict[str, Schema]:
    """Return the schemas of a folder of `<topic>.json` files by topic."""
    return {
        file.name.removesuffix(".json"): json.loads(file.read_bytes())["schema"]
        for file in folder.glob("*.json")
    }


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _check_string(schema: Schema, value: str, path: str) -> None:
    low, high = schema.get("minLength", 0), schema.get("maxLength", len(value))
    demand(low <= len(value) <= high, "data", f"{path}: too short or too long")
    if "enum" in schema:
        demand(value in schema["enum"], "data", f"{path}: not one of the values")
    if "pattern" in schema:
        inner = schema["pattern"].removeprefix("^").removesuffix("$")
        demand(re.fullmatch(inner, value) is not None, "data", f"{path}: not of its form")
    if schema.get("format") == "uuid":
        demand(UUID.fullmatch(value) is not None, "data", f"{path}: not a UUID")
    if schema.get("format") == "date":
        demand(_is_date(value), "data", f"{path}: not a date")


def _check_object(schema: Schema, value: dict[str, Any], path: str) -> None:
    properties = schema["properties"]
    for name in schema.get("required", ()):
        demand(name in value, "data", f"{path}/{name}: missing")
    for name, member in value.items():
        demand(name in properties, "data", f"{path}/{name}: unknown")
        check(properties[name], member, f"{path}/{name}")


def check(schema: Schema, value: Any, path: str = "") -> None:
    """Check a value against a schema; Wrong names the path of the first difference."""
    if not set(schema) <= _KNOWN:
        raise Wrong("data", f"{path}: the schema uses {set(schema) - _KNOWN}")
    kind = _TYPES[schema["type"]]
    is_kind = isinstance(value, kind) and (kind is not int or not isinstance(value, bool))
    demand(is_kind, "data", f"{path}: not of type {schema['type']}")
    if kind is str:
        _check_string(schema, value, path)
    elif kind is int:
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        demand(low <= value <= high, "data", f"{path}: too small or too large")
    elif kind is list:
        low, high = schema.get("minItems", 0), schema.get("maxItems", len(value))
        demand(low <= len(value) <= high, "data", f"{path}: too few or too many")
        for index, item in enumerate(value):
            check(schema["items"], item, f"{path}/{index}")
    elif kind is dict:
        _check_object(schema, value, path)
