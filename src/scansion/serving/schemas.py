"""JSON Schema, as far as the dialects use it: it checks what comes in, and it is what the OpenAPI document shows."""

from collections.abc import Callable, Mapping
from typing import Any

from scansion.errors import did_you_mean
from scansion.serving.refusals import RefusalError, unprocessable

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
ANYTHING: Schema = {}


def some(items: Schema, fewest: int = 0) -> Schema:
    """An array."""
    return {"type": "array", "items": items, "minItems": fewest}


def one_of(*values: str) -> Schema:
    """One of some texts."""
    return {"type": "string", "enum": list(values)}


def between(low: float, high: float, kind: str = "number") -> Schema:
    """A number from ``low`` to ``high``, both included."""
    return {"type": kind, "minimum": low, "maximum": high}


def any_of(*schemas: Schema) -> Schema:
    """What fits one of several."""
    return {"anyOf": list(schemas)}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    return any_of(schema, {"type": "null"})


def record(needed: Mapping[str, Schema], more: Mapping[str, Schema] | None = None, closed: bool = True) -> Schema:
    """An object with the keys ``needed``, some of those of ``more``, and if it is ``closed`` no other."""
    every = {**needed, **(more or {})}
    found: dict[str, Any] = {"type": "object", "properties": every, "required": list(needed)}
    return {**found, "additionalProperties": False} if closed else found


ONE_OR_MORE_TEXTS = any_of(TEXT, some(TEXT, 1))


def check(value: Any, schema: Schema, where: str = "the body") -> None:
    """RefusalError (422) with the place of the first thing that does not fit."""
    if choices := schema.get("anyOf"):
        _check_choice(value, choices, where)
    if wanted := schema.get("type"):
        if not KINDS[wanted](value):
            raise unprocessable(f"{where}: expected {NAMES[wanted]}, got {_shown(value)}.")
        PARTS.get(wanted, _nothing)(value, schema, where)
    if "enum" in schema and value not in schema["enum"]:
        raise unprocessable(f"{where}: {_shown(value)} is not known here{did_you_mean(str(value), schema['enum'])}")


def _whole(value: Any) -> bool:
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


KINDS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": _whole,
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}
NAMES = {
    "string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
    "object": "an object", "array": "a list", "null": "null",
}


def _check_choice(value: Any, choices: list[Schema], where: str) -> None:
    refusals: list[RefusalError] = []
    for choice in choices:
        try:
            check(value, choice, where)
        except RefusalError as refusal:
            refusals.append(refusal)
        else:
            return
    fitting = [refusal for refusal, choice in zip(refusals, choices, strict=True) if KINDS[choice["type"]](value)]
    if fitting:  # of its kind, but not like that
        raise fitting[0]
    names = " or ".join(dict.fromkeys(NAMES[choice["type"]] for choice in choices))
    raise unprocessable(f"{where}: expected {names}, got {_shown(value)}.")


def _check_number(value: float, schema: Schema, where: str) -> None:
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        allowed = f"from {low:g}" if high is None else f"from {low:g} to {high:g}"
        raise unprocessable(f"{where}: expected a number {allowed}, got {value:g}.")


def _check_list(value: list[Any], schema: Schema, where: str) -> None:
    if len(value) < schema.get("minItems", 0):
        raise unprocessable(f"{where}: expected at least {schema['minItems']} of them, got {len(value)}.")
    for number, each in enumerate(value):
        check(each, schema["items"], f"{where}, number {number + 1}")


def _check_object(value: dict[str, Any], schema: Schema, where: str) -> None:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            raise unprocessable(f"{where} lacks {name!r}.")
    for name, each in value.items():
        if name in properties:
            check(each, properties[name], f"{where}, {name!r}")
        elif schema.get("additionalProperties") is False:
            known = did_you_mean(name, properties)
            raise unprocessable(f"{where} holds {_shown(name)}, which is not known here{known}")


def _nothing(value: Any, schema: Schema, where: str) -> None:
    """Nothing more is to be checked."""


PARTS: dict[str, Callable[[Any, Schema, str], None]] = {
    "number": _check_number, "integer": _check_number, "array": _check_list, "object": _check_object,
}
LONGEST = 60


def _shown(value: Any) -> str:
    """A scalar as it was given, of anything else its kind: a text may be private, so that only little of it is told."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    told = "null" if value is None else str(value).lower() if isinstance(value, bool) else ascii(value)
    return told if len(told) <= LONGEST else "a long text" if isinstance(value, str) else "a long number"
