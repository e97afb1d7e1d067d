"""Frozen dataclasses to JSON values and back, with a closed schema.

A field may be bool, int, float, str, None, a Literal, a tuple, a dict with text keys, another dataclass, one of several
dataclasses by name (:class:`OneOf`), or a union of these with at most one object and one list in it. A field with a
default may be absent from a file. No name of a class is ever read or written: the caller says what to expect.
"""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from scansion.errors import UnsafeFolderError, UsageError, did_you_mean, shown
from scansion.storage.limits import LARGEST_WHOLE_NUMBER

T = TypeVar("T")

SCALARS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", NoneType: "null"}

NAME = "name"


@dataclass(frozen=True, eq=False)
class OneOf:
    """Marks a field that holds one of several dataclasses: ``Annotated[Any, OneOf(table)]``.

    In JSON its key in the table stands beside its fields, as ``name``.
    """

    table: Mapping[str, type]
    optional: bool = False
    """Whether there may be none, null in JSON."""
    unnamed: str = ""
    """The key that is meant where none stands beside the fields, and is not written; empty if one must stand there."""

    def name_of(self, value: Any) -> str:
        """The key of the value's class; UsageError if it has none."""
        for name, kind in self.table.items():
            if type(value) is kind:
                return name
        raise UsageError(f"A {type(value).__name__} cannot be stored here; known: {', '.join(self.table)}.")


def to_json(instance: Any) -> dict[str, Any]:
    """A dataclass as plain JSON values, every field written; UsageError if :func:`from_json` would refuse them."""
    plain: dict[str, Any] = _plain(instance)
    try:
        from_json(type(instance), plain, type(instance).__name__)
    except UnsafeFolderError as error:
        raise UsageError(str(error)) from error
    return plain


def from_json(cls: type[T], mapping: Any, where: str) -> T:
    """The dataclass ``cls`` from parsed JSON; UnsafeFolderError names ``where`` and the key at fault."""
    instance: T = _read(cls, mapping, where, "")
    return instance


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {
            name: _plain_field(kind, getattr(value, name)) for name, (kind, _) in _known_fields(type(value)).items()
        }
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value


def _plain_field(kind: Any, value: Any) -> Any:
    several = _one_of(kind)
    if several is None or value is None:
        return _plain(value)
    name = several.name_of(value)
    return _plain(value) if name == several.unnamed else {NAME: name, **_plain(value)}


def _one_of(kind: Any) -> OneOf | None:
    if get_origin(kind) is not Annotated:
        return None
    return next((each for each in kind.__metadata__ if isinstance(each, OneOf)), None)


def _read(kind: Any, value: Any, where: str, key: str) -> Any:
    if get_origin(kind) in (Union, UnionType):
        # A whole number is also a number: the narrower kind is asked first.
        for member in sorted(get_args(kind), key=lambda member: member is float):
            if _fits(member, value):
                return _read(member, value, where, key)
    if not _fits(kind, value):
        raise UnsafeFolderError(f"{where}: {_named(key)} must be {_described(kind)}, got {_shown_value(value)}.")
    several = _one_of(kind)
    if several is not None:
        return None if value is None else _read_named(several, value, where, key)
    if is_dataclass(kind):
        return _read_instance(kind, value, where, key)
    if get_origin(kind) is tuple:
        return _read_tuple(get_args(kind), value, where, key)
    if get_origin(kind) is dict:
        entry_kind = get_args(kind)[1]
        return {name: _read(entry_kind, entry, where, _below(key, name)) for name, entry in value.items()}
    return float(value) if kind is float else value


def _read_named(several: OneOf, value: dict[str, Any], where: str, key: str) -> Any:
    name = value.get(NAME, several.unnamed or None)
    if not isinstance(name, str) or name not in several.table:
        hint = did_you_mean(name[:60], several.table) if isinstance(name, str) else "."
        raise UnsafeFolderError(f"{where}: {_named(_below(key, NAME))} is not known in this version{hint}")
    return _read_instance(several.table[name], {k: v for k, v in value.items() if k != NAME}, where, key)


def _read_instance(cls: Any, mapping: dict[str, Any], where: str, key: str) -> Any:
    known = _known_fields(cls)
    unknown = [name for name in mapping if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0][:60], known)
        raise UnsafeFolderError(f"{where}: unknown key {_named(_below(key, unknown[0]))}{hint}")
    missing = [name for name, (_, field) in known.items() if name not in mapping and _is_required(field)]
    if missing:
        raise UnsafeFolderError(f"{where}: missing {', '.join(_named(_below(key, name)) for name in missing)}.")
    values = {
        name: _read(kind, mapping[name], where, _below(key, name))
        for name, (kind, _) in known.items()
        if name in mapping
    }
    try:
        return cls(**values)
    except (ValueError, TypeError) as error:
        raise UnsafeFolderError(f"{where}: {error}") from error


def _read_tuple(kinds: tuple[Any, ...], values: list[Any], where: str, key: str) -> tuple[Any, ...]:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(values)
    if len(kinds) != len(values):
        raise UnsafeFolderError(f"{where}: {_named(key)} must have {len(kinds)} entries, got {len(values)}.")
    return tuple(
        _read(kind, value, where, f"{key}[{position}]")
        for position, (kind, value) in enumerate(zip(kinds, values, strict=True))
    )


def _fits(kind: Any, value: Any) -> bool:
    """Whether the outermost shape of ``value`` is that of ``kind``; what is inside is looked at later."""
    several = _one_of(kind)
    if several is not None:
        return isinstance(value, dict) or (several.optional and value is None)
    if is_dataclass(kind):
        return isinstance(value, dict)
    if kind is int or (kind is float and type(value) is int):
        return type(value) is int and abs(value) <= LARGEST_WHOLE_NUMBER
    if kind is float:
        return type(value) is float and math.isfinite(value)
    if kind in SCALARS:
        return type(value) is kind
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return any(_fits(member, value) for member in get_args(kind))
    if origin is Literal:
        return any(type(value) is type(choice) and value == choice for choice in get_args(kind))
    if origin is tuple:
        return isinstance(value, list)
    if origin is dict:
        return isinstance(value, dict) and all(isinstance(name, str) for name in value)
    raise UsageError(f"A field of type {kind} cannot be stored; see scansion.storage.schema for those that can.")


@cache
def _known_fields(cls: Any) -> dict[str, tuple[Any, Field[Any]]]:
    kinds = get_type_hints(cls, include_extras=True)
    return {field.name: (kinds[field.name], field) for field in fields(cls) if field.init}


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _named(key: str) -> str:
    return shown(key) if key else "the file"


def _described(kind: Any) -> str:
    origin = get_origin(kind)
    if kind in SCALARS:
        return SCALARS[kind]
    if origin in (Union, UnionType):
        return " or ".join(_described(member) for member in get_args(kind))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, get_args(kind)))
    return "a list" if origin is tuple else "an object"


def _shown_value(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"the number {value!s:.24}" if isinstance(value, (int, float)) else f"a {type(value).__name__}"
