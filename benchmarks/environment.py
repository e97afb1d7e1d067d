"""What the benchmarks share: peers in environments of their own, every measurement in a fresh process, tables.

A peer is installed from PyPI, pinned, into ``benchmarks/environments/NAME`` the first time it is needed. A measurement
is a script that loads its data and its imports first, takes the time of the rest and prints one JSON object as its
last line. ``alternating`` runs the project and its peer in turn, A B A B, since an absolute time means little on a
machine that does other things too.
"""

import importlib.metadata
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import scansion

HERE = Path(__file__).resolve().parent
PEERS = {
    "scikit-learn": ("scikit-learn==1.9.1", "numpy==2.4.6", "scipy==1.17.1"),
    "fasttext": ("fasttext-wheel==0.9.2", "numpy==1.26.4"),  # its predict() does not work with numpy 2
    "joeynmt": ("joeynmt==2.3.0", "torch==2.13.0", "importlib_metadata==10.2.0"),
    "marian": ("transformers==5.24.0", "torch==2.13.0", "sentencepiece==0.2.3"),
    "ctranslate2": ("ctranslate2==4.8.5",),
    "transformers": ("transformers==5.24.0", "torch==2.13.0", "accelerate==1.15.0"),
    "sentence-transformers": (
        "sentence-transformers==6.2.0", "torch==2.13.0", "starlette==1.10.0", "uvicorn==0.54.0", "httptools==0.9.0",
    ),
}
OWN = ("torch", "numpy", "scipy", "scikit-learn")

Measured = dict[str, Any]


def python_of(peer: str) -> str:
    """The interpreter of a peer's environment, which is made if it is not there or holds other versions."""
    folder = HERE / "environments" / peer
    stamp, wanted = folder / "installed.txt", "\n".join(PEERS[peer])
    binaries = "Scripts" if os.name == "nt" else "bin"
    python = folder / binaries / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        say(f"installing {', '.join(PEERS[peer])}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS[peer]], check=True, env=_alone())
        stamp.write_text(wanted)
    return str(python)


def measure(python: str, script: Path, *arguments: object) -> Measured:
    """What a script prints as its last line, run in a fresh process."""
    environment = None if python == sys.executable else _alone()
    command = [python, str(script), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def alternating(
    name: str, pairs: int, ours: Callable[[], Measured], theirs: Callable[[], Measured]
) -> list[tuple[Measured, Measured]]:
    """Both, in turn."""
    found = []
    for pair in range(1, pairs + 1):
        found.append((ours(), theirs()))
        say(f"{name}, pair {pair} of {pairs}: {json.dumps(found[-1])}")
    return found


def ratios(values: Iterable[float]) -> tuple[str, str]:
    """Each pair's ratio, and their median."""
    values = list(values)
    return ", ".join(f"{value:.2f}" for value in values), f"{statistics.median(values):.2f}×"


def median(runs: Iterable[Measured], key: str) -> float:
    """The median of one of the things measured."""
    return statistics.median(run[key] for run in runs)


def heading(title: str, seed: object, peers: Iterable[str] = ()) -> str:
    """What a result is worth nothing without: command, date, machine, seed, versions."""
    versions = [f"scansion {scansion.__version__}", f"Python {platform.python_version()}"]
    versions += [f"{name} {importlib.metadata.version(name)}" for name in OWN]
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *_shown(sys.argv[1:])])
    lines = [
        f"## {title}", "",
        f"- command: `{command}`",
        f"- date: {time.strftime('%Y-%m-%d')}; seed: {seed}; {platform.machine()}, {cores()} processors",
        f"- versions: {', '.join(versions)}",
    ]
    lines += [f"- peer environment {peer}: {', '.join(PEERS[peer])}" for peer in peers]
    return "\n".join(lines) + "\n"


def table(columns: str, rows: Iterable[Iterable[object]]) -> str:
    """A markdown table; ``columns`` are separated by ``|``, and one that begins with ``>`` is aligned to the right."""
    names = [name.strip() for name in columns.split("|")]
    rule = ["---:" if name.startswith(">") else "---" for name in names]
    lines = [[name.removeprefix(">") for name in names], rule, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def say(text: str) -> None:
    """Progress: results alone go to standard output."""
    print(text, file=sys.stderr, flush=True)


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _alone() -> dict[str, str]:
    """The caller's environment, but for what would let a peer import this project's packages."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def _shown(arguments: list[str]) -> list[str]:
    """The arguments with the data folder left out: where it lies says nothing."""
    if "--data" in arguments:
        at = arguments.index("--data")
        return [*arguments[:at], "--data", "FOLDER", *arguments[at + 2 :]]
    return arguments
