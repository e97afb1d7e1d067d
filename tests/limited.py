"""Commands in forks of a warm process that may take no more than some memory beyond what is there; told as JSON."""

import json
import os
import pkgutil
import resource
import sys
from importlib import import_module
from pathlib import Path

MIB = 1 << 20


def pages() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def limited(words: list[str], mebibytes: int | None) -> tuple[int, str]:
    """The exit code, -N for the signal N, and what it said."""
    from scansion.cli.main import carry_out

    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        for number in (1, 2):
            os.dup2(writing, number)
        sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
        if mebibytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (pages() + mebibytes * MIB,) * 2)
        code = carry_out(words)
        sys.stdout.flush()
        os._exit(code)
    os.close(writing)
    with open(reading, errors="replace") as pipe:
        told = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told


def main(commands: list[list[str]], limits: list[int]) -> None:
    """Only imports happen here: a process that has started threads cannot be forked."""
    import scansion

    for module in pkgutil.walk_packages(scansion.__path__, "scansion."):
        if not module.name.endswith(("__main__", "fit_and_score", "learning.worker")):
            import_module(module.name)
    for words in commands:
        for mebibytes in [None, *limits]:
            sys.stdout.write(json.dumps([words, mebibytes, *limited(words, mebibytes)]) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
