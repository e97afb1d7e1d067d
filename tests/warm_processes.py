"""Processes of the package that start warm: forked from one that has its imports, which take seconds of processor time.

Under the fixture ``warm_processes`` of ``conftest.py``, ``subprocess.Popen`` starts the programs of ``PROGRAMS`` this
way, also where such a program starts another one.  It is a process like any other: with its own descriptors, signals,
session and exit code, a child of who has started it, and ended by what ends it.  Only the interpreter's own start is
left out.  That start is tested without the fixture, by ``cli/test_processes.py``, ``learning/test_worker.py``,
``test_start_up.py`` and ``test_documentation.py``.  Where the system is not Linux, everything starts cold.
"""

import atexit
import ctypes
import gc
import io
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path

PROGRAMS = ("scansion", "scansion.comparison.fit_and_score", "scansion.learning.worker")
STARTERS = PROGRAMS[:2]
"""Those that start others."""
PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
MOST_BYTES = 1 << 17
COLD = subprocess.Popen


class Forker:
    """The process that forks, seen from the one that asks for its forks."""

    def __init__(self) -> None:
        self.mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.executable = sys.executable
        with theirs:
            self.process = self.start(theirs)

    def start(self, theirs: socket.socket) -> subprocess.Popen | None:
        """A fresh interpreter that serves."""
        return COLD(
            [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def fork(self, wanted: dict, descriptors: list[int]) -> int:
        """The number of the new process, a child of this one."""
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # the orphan that the forker leaves is given to this process
        try:
            socket.send_fds(self.mine, [json.dumps(wanted).encode()], descriptors)
            return int(self.mine.recv(MOST_BYTES))
        finally:
            libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def close(self) -> None:
        """The forker ends when nobody can ask any more."""
        self.mine.close()
        if self.process is not None:
            self.process.wait()


class ForkedForker(Forker):
    """Forked from a warm process, in which nothing has happened yet."""

    def start(self, theirs: socket.socket) -> None:
        if not os.fork():
            self.mine.close()
            nowhere = os.open(os.devnull, os.O_RDWR)
            for number in range(3):
                os.dup2(nowhere, number)
            with suppress(OSError):  # who asked may be killed before the answer
                run(serve(theirs))
            os._exit(0)  # never back into what it was forked from, whose folders it would remove


def warm_popen(forker: Forker) -> type[subprocess.Popen]:
    """What takes the place of ``subprocess.Popen``."""

    class WarmPopen(COLD):
        def __init__(self, *arguments, **options) -> None:
            self.session = bool(options.get("start_new_session"))
            super().__init__(*arguments, **options)

        def _execute_child(self, command, executable, preexec_fn, close_fds, pass_fds, cwd, env, *others) -> None:
            program = program_of(command, forker.executable)
            if program is None or preexec_fn or pass_fds:
                super()._execute_child(command, executable, preexec_fn, close_fds, pass_fds, cwd, env, *others)
                return
            pipes = others[3:9]  # after startupinfo, creationflags and shell
            p2cread, _, _, c2pwrite, _, errwrite = pipes
            given = [own if own != -1 else number for number, own in enumerate((p2cread, c2pwrite, errwrite))]
            wanted = {
                "program": program, "cwd": str(cwd or Path.cwd()), "session": self.session,
                "environment": dict(os.environ if env is None else env),
            }
            self.pid = forker.fork(wanted, given)
            self._child_created = True
            self._close_pipe_fds(*pipes)

    return WarmPopen


def program_of(command: list[str], executable: str) -> list[str] | None:
    """A module and its arguments; None for what is not ours."""
    if not isinstance(command, list) or command[0] != executable:
        return None
    words = [str(word) for word in command[1:] if word != "-P"]
    return words[1:] if words[0] == "-m" and words[1] in PROGRAMS else None


def serve(asked: socket.socket) -> dict | None:
    """Fork for every request until nobody can ask any more; returns, in the fork, what is wanted of it."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(asked, MOST_BYTES, 3)
        if not message:
            return None
        reading, writing = os.pipe()
        between = os.fork()
        if not between:
            fork = os.fork()
            if fork:
                os.write(writing, str(fork).encode())
                os._exit(0)
            asked.close()
            os.close(reading)
            os.close(writing)
            for number, descriptor in enumerate(descriptors):
                os.dup2(descriptor, number)
            for descriptor in set(descriptors) - {0, 1, 2}:
                os.close(descriptor)
            return json.loads(message)
        os.close(writing)
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(between, 0)  # only then is the fork a child of who has asked for it
        asked.send(os.read(reading, MOST_BYTES))
        os.close(reading)


def run(wanted: dict | None) -> None:
    """Be the program that is wanted."""
    if wanted is None:
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))  # a file or a pipe, as it now is
    out, err = (io.BufferedWriter(io.FileIO(number, "w", closefd=False)) for number in (1, 2))
    sys.stdout = io.TextIOWrapper(out)
    sys.stderr = io.TextIOWrapper(err, errors="backslashreplace", line_buffering=True)
    if wanted["session"]:
        os.setsid()
    os.chdir(wanted["cwd"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    module, *sys.argv[1:] = wanted["program"]
    if module in STARTERS:
        subprocess.Popen = warm_popen(ForkedForker())
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0))))
    code: object = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(int(code or 0))  # taking down what was imported would take longer than most programs run


def main() -> None:
    """Import what the programs import, and fork."""
    import scansion

    for module in pkgutil.walk_packages(scansion.__path__, "scansion."):
        if module.name not in PROGRAMS and not module.name.endswith("__main__"):
            import_module(module.name)
    gc.freeze()  # the forks share what is there, and do not search it when they end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run(serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
