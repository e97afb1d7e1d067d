"""Two gigabytes of text in less memory than that: asked for with ``pytest -m long``."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.long

BYTES = 2_000_000_000
MOST_RSS = 1_500_000_000
WORDS = 300_000
DOCUMENTS_AT_A_TIME = 2_000


def write_corpus(path: Path) -> None:
    """Documents of about 2,000 characters whose words follow Zipf's law; a hundredth of them lean on the label."""
    random = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(["".join(random.choice(letters, size)) for size in random.integers(2, 10, WORDS)])
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < BYTES:
            lengths = random.integers(100, 600, DOCUMENTS_AT_A_TIME)
            ranks = np.minimum(random.zipf(1.2, lengths.sum()), WORDS) - 1
            labels = random.integers(0, 2, len(lengths))
            for ids, label in zip(np.split(ranks, np.cumsum(lengths)[:-1]), labels, strict=True):
                ids[::100] = WORDS - 1 - label
                file.write(json.dumps({"text": " ".join(words[ids]), "label": ["down", "up"][label]}) + "\n")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "corpus.jsonl"
    write_corpus(path)
    yield path
    path.unlink()


@pytest.mark.parametrize(
    "options",
    [["--family", "bag-of-words"], ["--family", "lstm", "--set", "width=16", "--budget", "4m", "--processes", "1"]],
    ids=["bag-of-words", "lstm"],
)
def test_a_corpus_larger_than_memory_is_learned(corpus, tmp_path, options):
    command = [sys.executable, "-m", "scansion", "fit", str(corpus), *options, "--out", str(tmp_path / "model")]
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert 1024 * used.ru_maxrss < MOST_RSS, f"{1024 * used.ru_maxrss / 1e9:.2f} GB"
