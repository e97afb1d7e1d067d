"""The bounds that the fields of a configuration must keep, each told in one sentence pattern."""

from collections.abc import Collection
from typing import Any

from scansion.errors import UsageError


def check_whole(options: Any, *names: str, least: int = 1, step: int = 1) -> None:
    """UsageError unless every named field is a whole number of at least ``least`` and a multiple of ``step``."""
    for name in names:
        value = getattr(options, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least or value % step:
            multiple = f"a whole number of at least {max(least, step)}"
            multiple += f" and a multiple of {step}" if step > 1 else ""
            raise UsageError(f"{type(options).__name__}: {name} must be {multiple}; got {value!r}.")


def check_shares(options: Any, *names: str) -> None:
    """UsageError unless every named field is a number from 0 up to but not 1."""
    for name in names:
        value = getattr(options, name)
        if not _is_number(value) or not 0 <= value < 1:
            raise UsageError(f"{type(options).__name__}: {name} must be at least 0 and below 1; got {value!r}.")


def check_positive(options: Any, *names: str) -> None:
    """UsageError unless every named field is a number above 0."""
    for name in names:
        value = getattr(options, name)
        if not _is_number(value) or not 0 < value < float("inf"):
            raise UsageError(f"{type(options).__name__}: {name} must be a number above 0; got {value!r}.")


def check_among(options: Any, name: str, known: Collection[str]) -> None:
    """UsageError unless the named field is one of the ``known`` names."""
    value = getattr(options, name)
    if value not in known:
        raise UsageError(f"{type(options).__name__}: {name} must be {' or '.join(known)}; got {value!r}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
