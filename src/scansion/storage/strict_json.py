"""Strict JSON: bounded before it is built, nothing that two readers could understand differently."""

import json
import math
import re
from typing import Any

import numpy as np

from scansion.errors import UnsafeFolderError, UsageError, shown
from scansion.storage.limits import (
    LARGEST_WHOLE_NUMBER,
    MOST_JSON_BYTES,
    MOST_JSON_DEPTH,
    MOST_JSON_KEYS,
    MOST_JSON_MARKS,
)

# Half a surrogate pair, in JSON text whose escaped backslashes are gone.
LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
OPENS, CLOSES, COMMA, COLON = 1, 2, 3, 4
MARKS = bytes.maketrans(b"[{]},:", bytes([OPENS, OPENS, CLOSES, CLOSES, COMMA, COLON]))
NOT_MARKS = bytes(set(range(256)) - set(b"[]{},:"))


def parse_json(data: bytes, where: str, most_bytes: int = MOST_JSON_BYTES, foreign: bool = False) -> Any:
    """The value in UTF-8 JSON; size, depth and number of values are checked before anything is built.

    Refused with UnsafeFolderError: a key given twice, NaN and infinities, whole numbers beyond 64 bits, half a
    surrogate pair.  In a ``foreign`` file, which others wrote, whole numbers beyond 64 bits are read as floats.
    """
    if len(data) > most_bytes:
        raise UnsafeFolderError(f"{where} has {len(data):,} bytes; at most {most_bytes:,} are read.")
    check_shape(data, where)
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_object_without_repeats,
            parse_constant=_refused_constant,
            parse_int=_foreign_int if foreign else _bounded_int,
            parse_float=_finite_float,
        )
    except UnicodeDecodeError as error:
        raise UnsafeFolderError(f"{where} is not UTF-8: byte {error.start} is {data[error.start]:#04x}.") from error
    except json.JSONDecodeError as error:
        raise UnsafeFolderError(
            f"{where} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except ValueError as error:
        raise UnsafeFolderError(f"{where}: {error}") from error
    return value


def json_bytes(value: Any) -> bytes:
    """UTF-8 JSON, one entry a line, that :func:`parse_json` reads back; UsageError for what JSON cannot hold."""
    try:
        return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode("utf-8")
    except UnicodeEncodeError as error:
        piece = error.object[max(error.start - 20, 0) : error.end]
        raise UsageError(
            f"{shown(piece)} ends in half a surrogate pair, which is no character. Clean the text."
        ) from error
    except (TypeError, ValueError) as error:
        raise UsageError(f"This cannot be written as JSON: {error}.") from error


def check_shape(data: bytes, where: str) -> None:
    """UnsafeFolderError for JSON of too many values, or nested too deep, before anything is built."""
    text = data.replace(rb"\\", b"")
    if (b"\\ud" in text or b"\\uD" in text) and LONE_SURROGATE.search(text):
        raise UnsafeFolderError(f"{where} holds half a surrogate pair, which is no character.")
    text = text.replace(rb"\"", b"")
    outside = ~np.logical_xor.accumulate(np.frombuffer(text, dtype=np.uint8) == ord('"'))
    marks = np.frombuffer(text, dtype=np.uint8)[outside].tobytes().translate(MARKS, NOT_MARKS)
    if len(marks) > MOST_JSON_MARKS or marks.count(COLON) > MOST_JSON_KEYS:
        raise UnsafeFolderError(
            f"{where} holds too many values: at most {MOST_JSON_MARKS:,} commas, colons and brackets and "
            f"{MOST_JSON_KEYS:,} keys are read."
        )
    kinds = np.frombuffer(marks, dtype=np.uint8)
    depth = int(((kinds == OPENS).astype(np.int32) - (kinds == CLOSES)).cumsum().max(initial=0))
    if depth > MOST_JSON_DEPTH:
        raise UnsafeFolderError(f"{where} is nested {depth:,} deep; at most {MOST_JSON_DEPTH} levels are read.")


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {shown(repeated[:61])} stands twice in one object.")
    return found


def _refused_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON; numbers must be finite.")


def _bounded_int(digits: str) -> int:
    # Twenty characters hold every 64-bit integer; the conversion of a million digits is never started.
    if len(digits) > 20 or abs(int(digits)) > LARGEST_WHOLE_NUMBER:
        raise ValueError(f"the whole number {shown(digits[:25], 24)} does not fit 64 bits.")
    return int(digits)


def _foreign_int(digits: str) -> int | float:
    # transformers writes 10**30 for "no limit"
    fits = len(digits) < 20 and abs(int(digits)) <= LARGEST_WHOLE_NUMBER
    return int(digits) if fits else _finite_float(digits)


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {shown(digits[:25], 24)} is too large.")
    return number
