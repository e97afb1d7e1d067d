"""Every system call of a save is the last one once; and every one of a save, a resume or a load fails once.

A whole checkpoint is always there, and none that is good is lost.  What is done runs as a process of its own under
strace, which kills it at, or fails, the N-th call of a kind.
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
from saving import BEGUN, DESCRIBED, ENDED, REFUSED, tensors
from scansion.storage.run_folder import RunFolder

CALLS = {
    "save": ("openat", "write", "fsync", "rename", "mkdir", "close"),
    "resume": ("openat", "read", "fstat", "newfstatat", "getdents64", "flock", "lseek", "close"),
    "load": ("openat", "read", "fstat", "newfstatat", "getdents64", "lseek", "close"),
}
FAULTS = {"killed": ["signal=KILL"], "failed": ["error=ENOSPC", "error=EIO", "error=EINTR"]}
"""What happens to a call, in the short form in turns: a full disk and a broken one are noticed in the same places."""
STRACE = shutil.which("strace")
SHORT = 24
"""Every so many of the calls are tried in the short form."""


def traced(action: str, folder: Path, step: int, *options: str) -> subprocess.CompletedProcess:
    calls = ",".join({*CALLS[action], "write"})
    command = [STRACE, "-f", "--seccomp-bpf", "-qq", "-e", f"trace={calls}", *options]
    command += [sys.executable, "-B", saving.__file__]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, action, str(folder), str(step)], env=environment, capture_output=True, text=True, timeout=120,
        check=False,
    )


def begin(folder: Path) -> None:
    """A run with as many checkpoints as are kept, so that the next save removes one."""
    with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
        for step in (1, 2):
            run.save(step, {"step": step}, tensors(step))


def calls_of(action: str, folder: Path, step: int) -> list[tuple[str, int]]:
    """Each call of an action by its name and its number among all calls of that name."""
    done = traced(action, folder, step)
    assert done.returncode == 0, done.stderr[-2000:]
    counts, found, inside = dict.fromkeys((*CALLS[action], "write"), 0), [], False
    for name, rest in re.findall(r"^(?:\[pid +\d+\] )?(\w+)\((.*)$", done.stderr, re.MULTILINE):
        counts[name] += 1
        if name == "write" and f'"{ENDED}"' in rest:
            inside = False
        if inside and name in CALLS[action]:
            found.append((name, counts[name]))
        if name == "write" and f'"{BEGUN}"' in rest:
            inside = True
    return found


def points(action: str, folder: Path) -> list[tuple[str, int]]:
    if STRACE is None:
        pytest.skip("strace is not installed; apt install strace brings it")
    begin(folder)
    found = calls_of(action, folder, 3 if action == "save" else 2)
    assert len(found) > 10
    return found


def broken_saves(tmp_path: Path, cases: list[tuple[tuple[str, int], str]]) -> int:
    """How many of the saves did not come to their end."""
    folder, step, reached = tmp_path / "run", 2, 0
    begin(folder)
    for (call, number), happens in cases:
        done = traced("save", folder, step + 1, "-e", f"inject={call}:{happens}:when={number}")
        begun, ended = BEGUN in done.stdout, ENDED in done.stdout
        reached += begun and not ended
        assert "Traceback" not in done.stderr, (call, number, done.stderr[-500:])
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
    return reached


def broken_readings(action: str, tmp_path: Path, cases: list[tuple[tuple[str, int], str]]) -> int:
    """How many of them were refused; afterwards both checkpoints are there and whole."""
    folder, refused = tmp_path / "run", 0
    begin(folder)
    before = sorted(each.name for each in folder.iterdir())
    for (call, number), happens in cases:
        done = traced(action, folder, 2, "-e", f"inject={call}:{happens}:when={number}")
        assert "Traceback" not in done.stderr, (call, number, happens, done.stderr[-800:])
        assert "Error" not in done.stdout
        refused += REFUSED in done.stderr
        assert done.returncode in (0, 1), (call, number, happens)
        assert sorted(each.name for each in folder.iterdir()) == before, (call, number, happens)
        with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
            assert not run.faults
            assert run.newest().json("config.json")["step"] == 2
    return refused


def in_turns(found, every: int, first: int = 0):
    return list(zip(found[first::every], itertools.cycle(FAULTS["failed"]), strict=False))


def every_fault(found):
    return list(itertools.product(found, FAULTS["failed"]))


def test_some_calls_of_a_save_fail_or_are_the_last(tmp_path, tried):
    found = points("save", tmp_path / "dry")
    assert {call for call, _ in found} == set(CALLS["save"])
    cases = [*in_turns(found, SHORT), *((point, "signal=KILL") for point in found[7::SHORT])]
    assert broken_saves(tmp_path, cases) >= 1
    tried("system calls of a save that fail or are the last", len(cases))


@pytest.mark.parametrize("action", ["resume", "load"])
def test_some_calls_of_a_reading_fail(action, tmp_path, tried):
    cases = in_turns(points(action, tmp_path / "dry"), SHORT)
    assert broken_readings(action, tmp_path, cases)
    tried(f"system calls of a {action} that fail", len(cases))


@pytest.mark.long
def test_every_call_of_a_save_is_the_last(tmp_path, tried):
    cases = [(point, "signal=KILL") for point in points("save", tmp_path / "dry")]
    assert broken_saves(tmp_path, cases) == len(cases)  # closing a file may fail without harm, a kill never does
    tried("kills at each system call of a save", len(cases))


@pytest.mark.long
def test_every_call_of_a_save_fails(tmp_path, tried):
    cases = every_fault(points("save", tmp_path / "dry"))
    assert broken_saves(tmp_path, cases) >= 0.3 * len(cases)
    tried("ENOSPC, EIO, EINTR at each system call of a save", len(cases))


@pytest.mark.long
@pytest.mark.parametrize("action", ["resume", "load"])
def test_every_call_of_a_reading_fails(action, tmp_path, tried):
    cases = every_fault(points(action, tmp_path / "dry"))
    assert broken_readings(action, tmp_path, cases)
    tried(f"ENOSPC, EIO, EINTR at each system call of a {action}", len(cases))
