"""Every system call of a checkpoint save is the last one once, and fails once: a whole checkpoint is always there.

The save runs as a process of its own under strace, which kills it at, or fails, the N-th call of a kind.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import saving
from saving import BEGUN, DESCRIBED, ENDED, tensors
from scansion.storage.run_folder import RunFolder

CALLS = ("openat", "write", "fsync", "rename", "mkdir", "close")
FAULTS = {"killed": ["signal=KILL"], "failed": ["error=ENOSPC", "error=EIO"]}
"""What happens to a call, in turns: a full disk and a broken one are noticed in the same places."""
STRACE = shutil.which("strace")


def traced(folder: Path, step: int, *options: str) -> subprocess.CompletedProcess:
    command = [STRACE, "-f", "-qq", "-e", f"trace={','.join(CALLS)}", *options, sys.executable, "-B", saving.__file__]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, str(folder), str(step)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def begin(folder: Path) -> None:
    """A run with as many checkpoints as are kept, so that the next save removes one."""
    with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
        for step in (1, 2):
            run.save(step, {"step": step}, tensors(step))


def calls_of_a_save(folder: Path, step: int) -> list[tuple[str, int]]:
    """Each call of a save by its name and its number among all calls of that name."""
    done = traced(folder, step)
    assert done.returncode == 0, done.stderr[-2000:]
    counts, found, inside = dict.fromkeys(CALLS, 0), [], False
    for name, rest in re.findall(r"^(?:\[pid +\d+\] )?(\w+)\((.*)$", done.stderr, re.MULTILINE):
        counts[name] += 1
        if name == "write" and f'"{ENDED}"' in rest:
            inside = False
        if inside:
            found.append((name, counts[name]))
        if name == "write" and f'"{BEGUN}"' in rest:
            inside = True
    return found


@pytest.fixture(scope="module")
def points(tmp_path_factory) -> list[tuple[str, int]]:
    if STRACE is None:
        pytest.skip("strace is not installed; apt install strace brings it")
    folder = tmp_path_factory.mktemp("dry") / "run"
    begin(folder)
    found = calls_of_a_save(folder, 3)
    assert {call for call, _ in found} == set(CALLS)
    return found


@pytest.mark.parametrize("fault", list(FAULTS))
def test_no_call_of_a_save_leaves_a_run_without_its_newest_checkpoint(points, fault, tmp_path):
    folder, step, reached = tmp_path / "run", 2, 0
    begin(folder)
    for (call, number), happens in zip(points, itertools.cycle(FAULTS[fault]), strict=False):
        done = traced(folder, step + 1, "-e", f"inject={call}:{happens}:when={number}")
        begun, ended = BEGUN in done.stdout, ENDED in done.stdout
        reached += begun and not ended
        with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
            newest = run.newest()
            assert newest is not None, (call, number)
            assert not run.faults, (call, number)
            found = newest.json("config.json")["step"]
            assert found in ((step, step + 1) if begun else (step,)), (call, number)
            assert (newest.tensors("weights.safetensors")["now.weights"] == found).all()
            assert not [name for name in os.listdir(folder) if name.startswith(".")], (call, number)
            step = found + 1  # and the run can be gone on with
            run.save(step, {"step": step}, tensors(step))
            assert run.newest().json("config.json")["step"] == step
    assert reached >= 0.5 * len(points)  # closing a file may fail without harm, a kill never does
    if fault == "killed":
        assert reached == len(points)
