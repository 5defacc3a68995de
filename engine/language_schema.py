"""The JSON Schema of the definition language, made from the grammar: editors complete and check with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import grammar
from engine.grammar_shapes import (
    LONGEST_TEXT,
    MOST_ENTRIES,
    Anything,
    Either,
    ListOf,
    MapOf,
    Named,
    OneOf,
    Pair,
    Record,
    Text,
    Whole,
    YesNo,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.grammar_shapes import Shape


def schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12); `workflows/definition.schema.json` is this, written out."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tiendo definition, language 1",
        **_of(grammar.DEFINITION),
        "$defs": {
            "pair": _record({"vi": _words("tiếng Việt"), "en": _words("English")}, ["vi", "en"]),
            **{name: _of(shape) for name, shape in grammar.NAMED_SHAPES.items()},
        },
    }


def _of(shape: Shape) -> dict[str, Any]:  # noqa: C901, PLR0911  (a line for each shape)
    match shape:
        case Text():
            pattern = {"pattern": f"^({shape.pattern})$"} if shape.pattern else {}
            return {"type": "string", "maxLength": LONGEST_TEXT, **pattern}
        case Whole():
            return {"type": "integer", "minimum": shape.least, "maximum": shape.most}
        case YesNo():
            return {"type": "boolean"}
        case OneOf():
            return {"enum": list(shape.words)}
        case Pair():
            return {"$ref": "#/$defs/pair"}
        case Named():
            return {"$ref": f"#/$defs/{shape.name}"}
        case Anything():
            return {}
        case Either():
            return {"anyOf": [_of(option) for option in shape.options]}
        case ListOf():
            return _list(shape)
        case MapOf():
            return _map(shape)
        case Record():
            return _keys(shape)


def _list(shape: ListOf) -> dict[str, Any]:
    found = {"type": "array", "items": _of(shape.of), "minItems": shape.least, "maxItems": MOST_ENTRIES}
    return {"anyOf": [_of(shape.of), found]} if shape.alone else found


def _map(shape: MapOf) -> dict[str, Any]:
    return {
        "type": "object",
        "patternProperties": {f"^({shape.names.pattern})$": _of(shape.of)},
        "additionalProperties": False,
        "minProperties": shape.least,
        "maxProperties": MOST_ENTRIES,
    }


def _keys(shape: Record) -> dict[str, Any]:
    keys = {name: {**_of(key.shape), "description": key.says} for name, key in shape.keys.items()}
    found = _record(keys, [name for name, key in shape.keys.items() if key.required])
    if shape.exactly_one:
        found["oneOf"] = [{"required": [name]} for name in shape.exactly_one]
    return found


def _record(keys: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(keys),
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _words(language: str) -> dict[str, Any]:
    return {"type": "string", "pattern": r"\S", "maxLength": LONGEST_TEXT, "description": language}
