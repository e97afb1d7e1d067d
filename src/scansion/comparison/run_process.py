"""A run of a comparison in a process of its own: what it is told, what it prints, and what comes of it."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.fit_and_score import TEMPORARY
from scansion.comparison.run import Outcome, Run, RunEvent
from scansion.comparison.schedule import Allowed
from scansion.families.catalogue import name_of
from scansion.processors import WAITING
from scansion.storage.schema import to_json
from scansion.viewer.number_format import seconds_shown

MOMENT = 0.05  # seconds
READ_AT_ONCE = 65_536  # bytes


def wanted(run: Run) -> dict[str, Any]:
    """A run as its process reads it."""
    return {
        "family": name_of(run.family), "options": to_json(run.family), "seed": run.seed, "fold": run.fold,
        "task": run.task, "processes": run.processes, "arguments": dict(run.arguments),
    }


def follow(folder: Path, run: Run, allowed: Allowed) -> Generator[RunEvent | Outcome | None]:
    """What happens in a run, and at last its :class:`Outcome`. The process ends with the generator.

    None where nothing has happened for a moment.
    """
    place = folder / f"{run.label}-{run.seed}-{run.fold}"
    place.mkdir()
    asked = wanted(run) | {"budget": allowed.fit if np.isfinite(allowed.fit) else None}
    if allowed.threads == 1:
        asked["processes"] = 1
    (place / "run.json").write_text(json.dumps(asked))
    doing = "starting"
    yield RunEvent(run, doing, None)
    steps = printed("fit_and_score", [folder, place], place / "messages", allowed.process, allowed.threads)
    while True:
        try:
            told = next(steps)
        except StopIteration as done:
            code, stopped = done.value
            break
        if told is None:
            yield None
        elif told.keys() == {"message", "progress"}:
            doing = told["message"]
            yield RunEvent(run, **told)
    reason = f"it was stopped after {seconds_shown(allowed.process)} ({doing})" if stopped else ""
    yield _outcome(run, place, code, reason)


def printed(
    program: str, arguments: Sequence[Path], messages: Path, limit: float, threads: int | None = None
) -> Generator[dict[str, Any] | None, None, tuple[int, bool]]:
    """What a program of this room prints, an object a line, in a process that ends with the generator.

    None where it has printed nothing for a moment, so that several can be followed.  Returns its exit code, and whether
    it was ended because it took longer than ``limit`` seconds.  What a library may have printed there is left out.
    """
    command = [sys.executable, "-P", "-m", f"scansion.comparison.{program}", TEMPORARY, *map(str, arguments)]
    environment = WAITING | ({} if threads is None else {"OMP_NUM_THREADS": str(threads)}) | os.environ
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    stopped, begun = False, time.monotonic()
    with messages.open("w") as errors:
        worker = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.PIPE, start_new_session=True,
            env=environment, bufsize=0,
        )
        try:
            for lines in _lines(worker.stdout):
                if not stopped and time.monotonic() - begun > limit:
                    stopped = True
                    _kill(worker)
                yield from (told for line in lines if isinstance(told := _read(line), dict))
                if not lines:
                    yield None
            code = worker.wait()
        finally:
            if worker.poll() != 0:
                _kill(worker)
            worker.wait()
            for stream in (worker.stdout, worker.stdin):
                if stream is not None:
                    stream.close()
    return code, stopped


def _lines(stream: Any) -> Iterator[list[bytes]]:
    """What a pipe holds, as whole lines, until it is closed; nothing where none has come for a moment."""
    rest = b""
    with selectors.DefaultSelector() as ready:
        ready.register(stream, selectors.EVENT_READ)
        while True:
            if not ready.select(MOMENT):
                yield []
                continue
            if not (read := stream.read(READ_AT_ONCE)):
                break
            *lines, rest = (rest + read).split(b"\n")
            yield lines
    yield [rest]


def _read(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _kill(worker: subprocess.Popen[bytes]) -> None:
    """End a worker and the processes it has started, which outlive it if it was killed."""
    with suppress(ProcessLookupError, PermissionError):  # nothing of it is left; macOS says so by the second
        os.killpg(worker.pid, signal.SIGKILL)


def _outcome(run: Run, place: Path, code: int, stopped: str) -> Outcome:
    if (place / "cost.json").exists():
        answers = json.loads((place / "answers.json").read_text(encoding="utf-8"))
        cost = json.loads((place / "cost.json").read_text())
        return Outcome(run, answers, cost, "", _array(place / "confidences.npy"), _array(place / "paces.npy"))
    for name in ("failure", "untrained"):
        if (place / f"{name}.json").exists():
            return replace(Outcome(run, [], {}), **{name: json.loads((place / f"{name}.json").read_text())})
    if stopped:
        return Outcome(run, [], {}, untrained=stopped)
    said = (place / "messages").read_text(errors="replace").strip().splitlines()[-1:]
    failure = f"its process {_ended(code)}" + (f": {said[0].strip()}" if said else ".")
    return Outcome(run, [], {}, failure)


def _array(file: Path) -> NDArray | None:
    return np.load(file) if file.exists() else None


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    if -code == signal.SIGKILL:
        return "was killed, as the system does when memory runs out"
    return f"crashed ({signal.strsignal(-code) or f'signal {-code}'})"
