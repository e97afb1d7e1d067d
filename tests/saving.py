"""Processes that save, resume or load checkpoints under strace, each forked from one that has its imports.

Started as a program, it reads what is to be done from its standard input, a line of JSON each, and answers each.  The
fork stops itself until strace holds it, so that the N-th call of a name is the same call every time.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from scansion.storage.folders import open_folder
from scansion.storage.manifest import library_versions
from scansion.storage.run_folder import RunFolder

DESCRIBED = {"family": "lstm"}
BEGUN, ENDED, REFUSED = "begun", "ended", "refused: "
CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$", re.MULTILINE)
TRACED = re.compile(r"^TracerPid:\t[1-9]", re.MULTILINE)


def tensors(step: int) -> dict[str, np.ndarray]:
    return {"now.weights": np.full(5_000, step, np.float32)}


def save(folder: Path, step: int) -> None:
    """What it is about to do is marked, for who reads what strace tells, by writes of its own."""
    with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
        arrays = tensors(step)
        os.write(1, BEGUN.encode())
        run.save(step, {"step": step}, arrays)
        os.write(1, ENDED.encode())


def resume(folder: Path, step: int) -> None:
    """The run is taken up, and what it goes on from is read."""
    os.write(1, BEGUN.encode())
    with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
        newest = run.newest()
        found = newest.json("config.json"), newest.tensors("weights.safetensors")
    os.write(1, ENDED.encode())
    assert found[0]["step"] == step
    assert (found[1]["now.weights"] == step).all()


def load(folder: Path, step: int) -> None:
    """One folder is read, as a model is."""
    (place,) = (each for each in folder.iterdir() if each.name.endswith(f"{step}"))
    os.write(1, BEGUN.encode())
    found = open_folder(place, "scansion-checkpoint").tensors("weights.safetensors")
    os.write(1, ENDED.encode())
    assert (found["now.weights"] == step).all()


ACTIONS = {"save": save, "resume": resume, "load": load}


def act(action: str, folder: str, step: int) -> int:
    """The exit code; an OSError, which StorageError is, the command tells in a sentence."""
    try:
        ACTIONS[action](Path(folder), step)
    except (OSError, MemoryError) as error:
        os.write(2, f"{REFUSED}{error}".encode())
        return 1
    return 0


def traced(action: str, folder: str, step: int, options: list[str]) -> dict:
    """How it ended (-N for the signal N), what it said, and its calls as strace tells them."""
    file = tempfile.NamedTemporaryFile
    with file() as out, file() as err, file() as told:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os.kill(os.getpid(), signal.SIGSTOP)
            code = 70
            try:
                code = act(action, folder, step)
            except BaseException:
                import traceback

                os.write(2, traceback.format_exc().encode())
            os._exit(code)
        os.waitid(os.P_PID, child, os.WSTOPPED)
        strace = subprocess.Popen(["strace", "-f", "-qq", "-o", told.name, *options, "-p", str(child)])
        while not TRACED.search(Path(f"/proc/{child}/status").read_text()):
            if strace.poll() is not None:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                raise RuntimeError("strace cannot hold a process here")
            time.sleep(0.001)
        os.kill(child, signal.SIGCONT)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        strace.wait()
        read = {"out": out, "err": err, "calls": told}
        return {"code": code} | {name: Path(file.name).read_text(errors="replace") for name, file in read.items()}


def main() -> None:
    library_versions()  # looked up once a process
    # what is done for the first time imports and looks up more
    with tempfile.TemporaryDirectory() as place, RunFolder.begin(Path(place) / "run", DESCRIBED, True) as run:
        for step in (1, 2, 3):
            run.save(step, {"step": step}, tensors(step))
        run.newest().tensors("weights.safetensors")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(traced(*json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
