"""How long a stored counted model takes to its first answer, and what it takes to get there: a process from its start.

    python benchmarks/first_answer.py            all of it, eleven pairs of each
    python benchmarks/first_answer.py --pairs 3

Both families are trained on the shipped film review sentences, and so is scikit-learn's pipeline (TfidfVectorizer of
the same words or n-grams, LogisticRegression), which joblib stores.  Then, in turn, a fresh process each:

    Python    import, load the folder or the file, predict one text
    command   ``echo TEXT | scansion predict MODEL -`` beside the same script of the peer

Seconds are from start to end; on a machine that does other things too the processor's seconds, user and system, say
more.  Memory is the peak of the whole process.  Each has answered once before it is measured, so that Python's compiled
files are there.  A ratio above 1 means that scansion is faster.  The last rows are mistakes and a network beside them:
what is mistyped is refused before a model is restored.
"""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from environment import HERE, Measured, alternating, heading, median, python_of, ratios, say, table

import scansion

FAMILIES = ("bag-of-words", "n-grams")
TEXT = "a quiet marvel, beautifully acted"
DEMO = Path(scansion.__file__).parent / "demo" / "mr.tsv.gz"
LOAD = "import sys, scansion; print(scansion.load(sys.argv[1]).predict([sys.argv[2]])[0])"
COLUMNS = (
    "what | family | >s | >peer's s | >median ratio | >processor's s | >peer's | >ratio of each pair | >MB | >peer's MB"
)
KIB = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss


def timed(command: Sequence[object], given: str = "", codes: Sequence[int] = (0,)) -> Measured:
    """A process: its seconds, the processor's, and its peak of memory."""
    environment = {name: each for name, each in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if command[0] != sys.executable:
        environment.pop("PYTHONPATH", None)
    begun = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=environment,
    )
    process.stdin.write(given)
    process.stdin.close()
    answer = process.stdout.read().strip()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return {
        "seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "megabytes": used.ru_maxrss * KIB / 2**20,
        "answer": answer,
    }


def row(what: str, family: str, pairs: list[tuple[Measured, Measured]]) -> list[str]:
    """A line of the table."""
    ours, theirs = zip(*pairs, strict=True)
    _, wall = ratios(their["seconds"] / our["seconds"] for our, their in pairs)
    each, _ = ratios(their["cpu"] / our["cpu"] for our, their in pairs)
    return [
        what, family, f"{median(ours, 'seconds'):.2f}", f"{median(theirs, 'seconds'):.2f}", wall,
        f"{median(ours, 'cpu'):.2f}", f"{median(theirs, 'cpu'):.2f}", each, f"{median(ours, 'megabytes'):.0f}",
        f"{median(theirs, 'megabytes'):.0f}",
    ]


def alone(what: str, family: str, times: int, run: Callable[[], Measured]) -> list[str]:
    """A line without a peer."""
    found = [run() for _ in range(times + 1)][1:]
    return [
        what, family, f"{median(found, 'seconds'):.2f}", "", "", f"{median(found, 'cpu'):.2f}", "", "",
        f"{statistics.median(each['megabytes'] for each in found):.0f}", "",
    ]


def main() -> None:
    """Train, then every pair, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--rows", type=int, help="only so many rows to learn from, to try the script")
    given = parser.parse_args()
    python, script = python_of("scikit-learn"), HERE / "peers" / "sklearn_first_answer.py"
    header, *lines = gzip.decompress(DEMO.read_bytes()).decode().splitlines()
    names = header.split("\t")
    cells = [line.split("\t") for line in lines][: given.rows]
    texts, labels = ([each[names.index(name)] for each in cells] for name in ("text", "label"))
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        (place / "rows.json").write_text(json.dumps([texts, labels]), encoding="utf-8")
        (place / "table.csv").write_text(f"text\n{TEXT.replace(',', '')}\n", encoding="utf-8")
        (place / "train.tsv").write_text(
            "\n".join(["text\tlabel", *(f"{text}\t{label}" for text, label in zip(texts, labels, strict=True))]),
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "scansion"]
        for family in FAMILIES:
            say(f"fitting {family}, and the peer")
            model, stored = place / family, place / f"{family}.joblib"
            timed([*command, "fit", place / "train.tsv", "--text", "text", "--target", "label", "--family", family,
                   "--out", model])
            timed([python, script, "fit", place / "rows.json", family, stored])
            ways = {
                "Python": lambda m=model: timed([sys.executable, "-c", LOAD, m, TEXT]),
                "command": lambda m=model: timed([*command, "predict", m, "-"], TEXT + "\n"),
            }

            def peer(stored: Path = stored) -> Measured:
                return timed([python, script, "answer", stored, TEXT])

            for what, ours in ways.items():
                ours(), peer()
                rows.append(row(what, family, alternating(f"{what}, {family}", given.pairs, ours, peer)))
        network = place / "lstm"
        timed([*command, "fit", place / "train.tsv", "--text", "text", "--target", "label", "--family", "lstm",
               "--budget", "20s", "--set", "width=16", "--out", network])
        mistyped = [*command, "predict", network, place / "table.csv", "--text", "txet"]
        rows.append(alone("command, a mistyped column", "lstm", given.pairs, lambda: timed(mistyped, codes=(2,))))
        answered = [*command, "predict", network, place / "table.csv"]
        rows.append(alone("command", "lstm", given.pairs, lambda: timed(answered)))
    print(heading("The first answer of a stored model", 0, ["scikit-learn"]))
    print(table(COLUMNS, rows))


if __name__ == "__main__":
    main()
