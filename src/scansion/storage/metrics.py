"""``metrics.jsonl``: what a training measured, a JSON object a line; and where it stands when the model is finished.

    {"event": "step", "step": 7, "epoch": 1, "progress": 0.05, "loss": 0.69, "learning_rate": 0.001, "tokens": 498,
     "tokens_per_second": 51200, "seconds": 0.07}
    {"event": "epoch", "step": 16, "epoch": 1, "epochs": 8, "training_loss": 0.68, "held_out_error": 0.41,
     "kept": true, "seconds": 0.2}
    {"event": "end", "step": 128, "epoch": 7, "epochs": 8, "tokens": 63000, "ended": "all epochs done"}

``loss`` and ``tokens`` are one step's own, ``seconds`` are since the run began; the ``epoch`` of the end is the one
whose weights are kept.  What is not a finite number is null.  Beside it stands its picture, ``curves.svg``.
"""

import json
import math
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from scansion.errors import StorageError
from scansion.storage.atomic import put_folder

METRICS, PICTURE = "metrics.jsonl", "curves.svg"
BEFORE = "pretraining-"
CURVES = frozenset(before + name for before in ("", BEFORE) for name in (METRICS, PICTURE))
"""All that a folder of curves may hold: a run's own, and those of a run before it."""
EVENTS = {"step", "epoch", "end"}
DIGITS = 6


class Metrics:
    """A file of metrics that is gone on with after a step; what a run had measured beyond it is measured again.

    OSError where the disk does not take it.
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        known = read_metrics(path)
        self.lines = [line for line in known if line["event"] != "end" and line["step"] <= step]
        if path.exists():
            replace_file(path, b"".join(map(_bytes_of, self.lines)))

    def add(self, line: Mapping[str, Any]) -> None:
        """A line at the end of the file."""
        rounded = {name: _rounded(value) for name, value in line.items()}
        with self.path.open("ab") as file:
            file.write(_bytes_of(rounded))
        self.lines.append(rounded)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a file, none if there is no file; a line that was cut off, or is none of ours, is left out.

    StorageError if it cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}. Nothing was changed; try again.") from error
    found = []
    for line in content.splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and str(value.get("event")) in EVENTS and isinstance(value.get("step"), int):
            found.append(value)
    return found


def replace_file(path: Path, data: bytes) -> None:
    """In one step, for whoever reads along; a power cut may undo it.  OSError, and then nothing has changed."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def curves_folder_of(run: Path) -> Path:
    """Where the curves of a run stay: ``MODEL.curves`` for ``MODEL.run``."""
    return run.with_name(f"{run.name.removesuffix('.run')}.curves")


def put_curves(folder: Path, files: Mapping[str, bytes]) -> None:
    """Leave curves there in place of those of an older model, or none where there are no files; StorageError."""
    if files:
        put_folder(folder, files, _check_replaceable)
    elif os.path.lexists(folder):
        _check_replaceable(folder)
        shutil.rmtree(folder)


def _check_replaceable(folder: Path) -> None:
    foreign = sorted(set(os.listdir(folder)) - CURVES) if folder.is_dir() else [folder.name]
    if foreign:
        raise StorageError(f"{folder} is taken and is not replaced: it holds {', '.join(foreign[:3])}.")


def _rounded(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _bytes_of(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line).encode() + b"\n"
