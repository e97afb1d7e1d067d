"""The run folder, ``MODEL.run``: what an unfinished training goes on from.

    run.json                  what the run is a function of: it is resumed with the same, or not at all
    checkpoint-000000512/     where it stood after so many steps: a sealed folder, as a model is
    damaged-000000512-…/      one that was changed since: kept until the run is finished or given up
    lock                      held by the one process that may write; it ends with its owner

A checkpoint is a new folder, put in place in one step; the one before stays until the new one is there.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np

from scansion.errors import StorageError, UnsafeFolderError, UsageError
from scansion.storage.atomic import put_folder
from scansion.storage.folders import Folder, open_folder, publish
from scansion.storage.limits import CONFIG, MOST_FILE_BYTES, WEIGHTS
from scansion.storage.lock_file import locked_file
from scansion.storage.strict_json import json_bytes, parse_json

DESCRIPTION, LOCK = "run.json", "lock"
CHECKPOINT, DAMAGED = "checkpoint-{:09d}", "damaged-"
CHECKPOINT_NAME = re.compile(r"checkpoint-\d{9}")
CHECKPOINTS_KEPT = 2
SHOWN_DIFFERENCES = 8
DIGEST = re.compile("[0-9a-f]{64}")
CUT_OFF = re.compile(r"\.checkpoint-\d{9}\.(partial|old)-[0-9a-f]{8}")


def run_folder_of(model: Path) -> Path:
    """Where the run of a model is kept while it trains: beside it."""
    model = model if model.name else Path(os.path.abspath(model))
    return model.with_name(f"{model.name}.run")


class RunFolder:
    """A run folder that this process alone may write to; ``with`` lets go of it."""

    def __init__(self, place: Path, lock: int | None = None) -> None:
        self.place = place
        self.faults: list[str] = []
        """Why checkpoints were set aside when the run was taken up."""
        self._lock = lock

    @classmethod
    def begin(cls, place: Path, described: Mapping[str, Any], resume: bool, anew: bool = False) -> Self:
        """Make a run folder, or take up the one that is there.

        ``described`` is what the run is a function of, as JSON values.  A run that is there is gone on with if
        ``resume``, and else given up if ``anew``; with both it is given up if it is of something else.  UsageError
        where neither helps; StorageError if another process holds it.
        """
        described = parse_json(json_bytes(described), DESCRIPTION)
        check_run(place, resume or anew)
        if not (place / DESCRIPTION).exists():
            put_folder(place, {DESCRIPTION: json_bytes(described)}, _refuse_to_replace)
        run = cls(place, _locked(place / LOCK))
        try:
            if run._is_empty() or (anew and not (resume and not run._changed(described))):
                run._give_up(described)
            run._compare(described)
            run._tidy()
        except BaseException:
            run.close()
            raise
        return run

    def save(self, step: int, state: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Path:
        """A new checkpoint, after which older ones than the last are removed; its folder.

        DivergedError for a number that is not finite, StorageError for a full disk; older checkpoints stay as they are.
        """
        target = self.place / CHECKPOINT.format(step)
        files = {CONFIG: json_bytes(state), WEIGHTS: tensors}
        described = {"task": "checkpoint", "family": "checkpoint", "data_fingerprint": ""}
        publish(target, files, described, "scansion-checkpoint")
        for older in list(self.checkpoints())[CHECKPOINTS_KEPT:]:
            _remove(older)
        return target

    def newest(self) -> Folder | None:
        """The newest checkpoint, if there is any.  UnsafeFolderError if it is not whole."""
        newest = next(self.checkpoints(), None)
        return None if newest is None else open_folder(newest, "scansion-checkpoint")

    def checkpoints(self) -> Iterator[Path]:
        """Checkpoint folders, the newest first."""
        names = sorted(filter(CHECKPOINT_NAME.fullmatch, os.listdir(self.place)), reverse=True)
        yield from (self.place / name for name in names)

    def remove(self) -> None:
        """The run is finished, or given up."""
        shutil.rmtree(self.place, ignore_errors=True)

    def close(self) -> None:
        """Let another process have it; where nothing was kept, nothing stays."""
        if self._lock is not None:
            with suppress(OSError):  # what cannot be listed is not removed
                if self._is_empty() and not any(name.startswith(DAMAGED) for name in os.listdir(self.place)):
                    self.remove()
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_empty(self) -> bool:
        return next(self.checkpoints(), None) is None

    def _changed(self, described: Mapping[str, Any]) -> list[str]:
        path = self.place / DESCRIPTION
        begun = parse_json(path.read_bytes(), str(path), MOST_FILE_BYTES[CONFIG])
        then, now = dict(_leaves(begun, "")), dict(_leaves(described, ""))
        keys = sorted(then.keys() | now.keys())
        return [_difference(key, then.get(key), now.get(key)) for key in keys if then.get(key) != now.get(key)]

    def _give_up(self, described: Mapping[str, Any]) -> None:
        for checkpoint in self.checkpoints():
            _remove(checkpoint)
        fresh = self.place / f"{DESCRIPTION}.new"
        fresh.write_bytes(json_bytes(described))
        fresh.replace(self.place / DESCRIPTION)

    def _compare(self, described: Mapping[str, Any]) -> None:
        changed = self._changed(described)
        if changed:
            more = f", and {len(changed) - SHOWN_DIFFERENCES} more" if len(changed) > SHOWN_DIFFERENCES else ""
            raise UsageError(
                f"The run in {self.place} was begun with something else: {'; '.join(changed[:SHOWN_DIFFERENCES])}"
                f"{more}. Give what it was begun with, or begin anew with --force."
            )

    def _tidy(self) -> None:
        """Away with what a save that was cut off has left, and aside with what is damaged; nobody else writes here.

        StorageError for a checkpoint that cannot be read now: it may be whole.
        """
        for name in os.listdir(self.place):
            if CUT_OFF.fullmatch(name):
                shutil.rmtree(self.place / name, ignore_errors=True)
        for checkpoint in list(self.checkpoints()):
            try:
                open_folder(checkpoint, "scansion-checkpoint")
            except UnsafeFolderError as error:
                aside = checkpoint.with_name(
                    f"{checkpoint.name.replace('checkpoint-', DAMAGED)}-{secrets.token_hex(4)}"
                )
                checkpoint.rename(aside)
                self.faults.append(f"{error} It is kept as {aside.name} until the run is over.")
            except StorageError as error:
                raise StorageError(f"{error} Nothing was removed; try again, or begin anew with --force.") from error


def check_run(place: Path, taken_up: bool) -> None:
    """UsageError if something is in the way of a run, or an unfinished one that is not to be ``taken_up``."""
    if not (place / DESCRIPTION).exists():
        if os.path.lexists(place):
            _refuse_to_replace(place)
    elif not taken_up and not RunFolder(place)._is_empty():
        raise UsageError(f"{place} holds an unfinished run. Go on with --resume, or begin anew with --force.")


def _remove(checkpoint: Path) -> None:
    """In one step for whoever looks: a removal that is cut off leaves no checkpoint that is not whole."""
    aside = checkpoint.with_name(f".{checkpoint.name}.old-{secrets.token_hex(4)}")
    checkpoint.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _difference(key: str, then: Any, now: Any) -> str:
    if isinstance(then, str) and DIGEST.fullmatch(then):
        return f"the {key} are others"
    before, after = ("nothing" if value is None else repr(value) for value in (then, now))
    return f"{key}: {before} then, {after} now"


def _refuse_to_replace(place: Path) -> None:
    if not place.is_dir() or any(place.iterdir()):
        raise UsageError(f"{place}, where the run is to be kept, is taken by something else. Choose another place.")


def _locked(path: Path) -> int:
    descriptor = locked_file(
        path, f"Another process is training into {path.parent}. Wait for it or stop it, or choose another place."
    )
    if descriptor is None:
        raise StorageError(f"The run in {path.parent} was just finished or given up by another process. Start again.")
    return descriptor


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from _leaves(entry, f"{key}.{name}" if key else name)
    else:
        yield key, value
