"""Where results go, checked before anything is computed: hours of work must not end at a place that is taken."""

import os
from pathlib import Path

from scansion.errors import UsageError


def check_place(place: Path, ours: frozenset[str], mark: str, replace: bool) -> None:
    """UsageError unless a folder can be written at ``place``.

    One of ours, known by the file ``mark`` and by holding nothing but ``ours``, is in the way unless it may be
    replaced; anything else always is, save an empty folder.
    """
    if os.path.lexists(place):
        held = {entry.name for entry in place.iterdir()} if place.is_dir() else set()
        if not place.is_dir() or (held and (mark not in held or held - ours)):
            raise UsageError(f"{place} is taken by something else and is never replaced. Choose another place.")
        if held and not replace:
            raise UsageError(f"{place} exists already. Choose another place, or replace it with --force.")
    above = next(folder for folder in Path(os.path.abspath(place)).parents if os.path.lexists(folder))
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        why = "is not a folder" if not above.is_dir() else "cannot be written to"
        raise UsageError(f"{place} cannot be made: {above} {why}. Choose another place.")
