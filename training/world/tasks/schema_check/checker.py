"""Validation of plain data against small dict schemas."""

import re
from typing import Any

__all__ = ["SchemaError", "errors", "is_valid", "fill_defaults"]

TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "list": list,
    "object": dict,
    "null": type(None),
}


class SchemaError(Exception):
    """A schema that is itself wrong."""


def _type_matches(name: str, value: Any) -> bool:
    """Return whether a value has a type; booleans are not numbers. SchemaError if unknown."""
    if name not in TYPES:
        raise SchemaError(f"unknown type: {name}")
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def _names(schema: dict) -> list[str]:
    """Return the types that a schema allows, [] if any."""
    names = schema.get("type", [])
    return [names] if isinstance(names, str) else names


def _size_faults(schema: dict, value: Any) -> list[str]:
    """Check minimum and maximum (both inclusive) of numbers, and of lengths of all others."""
    size, noun = value, "value"
    if not _type_matches("number", value):
        if not isinstance(value, (str, list, dict)):
            return []
        size, noun = len(value), "length"
    faults = []
    if "minimum" in schema and size < schema["minimum"]:
        faults.append(f"{noun} {size} is below {schema['minimum']}")
    if "maximum" in schema and size > schema["maximum"]:
        faults.append(f"{noun} {size} is above {schema['maximum']}")
    return faults


def _list_faults(schema: dict, value: list, path: str) -> list[tuple[str, str]]:
    """Check the items of a list, and that none repeats if they must be unique."""
    faults = []
    for index, item in enumerate(value):
        if schema.get("unique") and item in value[:index]:
            faults.append((f"{path}[{index}]", "repeats an earlier item"))
        faults += _faults(schema.get("items", {}), item, f"{path}[{index}]")
    return faults


def _object_faults(schema: dict, value: dict, path: str) -> list[tuple[str, str]]:
    """Check required, known and unknown fields; unknown ones are fine unless closed."""
    fields = schema.get("fields", {})
    faults = []
    for name, field in fields.items():
        here = f"{path}.{name}" if path else name
        if name in value:
            faults += _faults(field, value[name], here)
        elif field.get("required") and "default" not in field:
            faults.append((here, "is required"))
    if schema.get("closed"):
        extra = sorted(set(value) - set(fields))
        faults += [(f"{path}.{name}" if path else name, "is not known") for name in extra]
    return faults


def _faults(schema: dict, value: Any, path: str) -> list[tuple[str, str]]:
    """Return (path, fault) pairs; a value of a wrong type is not checked further."""
    names = _names(schema)
    if names and not any(_type_matches(name, value) for name in names):
        return [(path, f"must be {' or '.join(names)}")]
    faults = []
    if "choices" in schema and value not in schema["choices"]:
        faults.append((path, f"is not one of {schema['choices']}"))
    if "pattern" in schema and isinstance(value, str):
        if not re.fullmatch(schema["pattern"], value):
            faults.append((path, f"does not match {schema['pattern']}"))
    faults += [(path, fault) for fault in _size_faults(schema, value)]
    if isinstance(value, list):
        faults += _list_faults(schema, value, path)
    if isinstance(value, dict):
        faults += _object_faults(schema, value, path)
    return faults


def errors(schema: dict, value: Any) -> list[str]:
    """Return all faults as "path: fault", the path of the value itself being "value"."""
    return [f"{path or 'value'}: {fault}" for path, fault in _faults(schema, value, "")]


def is_valid(schema: dict, value: Any) -> bool:
    """Return whether a value has no faults."""
    return not _faults(schema, value, "")


def fill_defaults(schema: dict, value: Any) -> Any:
    """Return a copy of the value with the defaults of missing fields, on all levels."""
    if isinstance(value, list):
        return [fill_defaults(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    filled = dict(value)
    for name, field in schema.get("fields", {}).items():
        if name in value:
            filled[name] = fill_defaults(field, value[name])
        elif "default" in field:
            filled[name] = fill_defaults(field, field["default"])
    return filled
