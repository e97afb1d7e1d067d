"""What grows: columns, labels, documents; and processes that may have only so much memory, or no more threads."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import limited
import scansion.memory
from scansion import RNN, BagOfWords, DocumentClassifier, load
from scansion.errors import DataError, TargetWarning
from scansion.text import word_tokenizer
from scansion.text.documents import read_documents

DATA = Path(__file__).parents[1] / "data" / "polarity.csv"
MEBIBYTES = [0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]


def test_a_table_of_a_million_columns_is_refused_before_its_names_are_compared(tmp_path):
    names = ",".join(f"c{number}" for number in range(1_000_000))
    (tmp_path / "wide.csv").write_text(f"text,label,{names}\na,b{',' * 1_000_000}\n")
    begun = time.process_time()
    with pytest.raises(DataError, match="has 1,000,002 columns; at most 16,384 are read"):
        read_documents(tmp_path / "wide.csv")
    assert time.process_time() - begun < 20  # it was for ever


def test_a_table_of_many_columns_is_read_with_fewer_rows_looked_at_first(tmp_path):
    names, cells = ",".join(f"c{number}" for number in range(5_000)), "," * 5_000
    rows = [f"thing {number},{'ab'[number % 2]}{cells}" for number in range(300)]
    (tmp_path / "wide.csv").write_text("\n".join([f"text,label,{names}", *rows, ""]))
    read = read_documents(tmp_path / "wide.csv", text="text")
    assert (len(read), read.columns.target) == (300, "label")
    assert len(read.texts.table.sample()) < 250


def test_what_needs_more_memory_than_is_free_is_refused_before_it_is_begun(monkeypatch):
    monkeypatch.setattr(scansion.memory, "free_memory", lambda: 1e6)
    texts, labels = [f"w{number % 7} x" for number in range(200)], [f"l{number % 100}" for number in range(200)]
    with pytest.raises(DataError, match=r"head of 100 labels, on 200 rows of .* needs about .* free\. Join labels"):
        DocumentClassifier(BagOfWords()).fit(texts, labels)


def test_a_network_is_not_trained_where_a_library_would_crash_for_want_of_memory(monkeypatch):
    monkeypatch.setattr(scansion.memory, "free_memory", lambda: 12 * 2.0**20)
    with pytest.raises(DataError, match=r"Training a network needs about 32\.0 MiB of memory, and 12\.0 MiB are"):
        DocumentClassifier(RNN(width=4)).fit([f"w{number % 9} x" for number in range(40)], ["a", "b"] * 20)


def test_a_text_whose_backward_pass_needs_more_memory_than_is_free_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(scansion.memory, "free_memory", lambda: 64 * 2.0**20)
    texts = ["w " * 300_000, *(f"w{number % 9} x" for number in range(39))]
    with pytest.raises(DataError, match=r"A text of 300,000 tokens, .* width 4 .* 73\.2 MiB .* Split it, or take"):
        DocumentClassifier(RNN(width=4), random_state=0).fit(texts, ["a", "b"] * 20)


def test_without_room_for_threads_all_is_done_in_turn(monkeypatch):
    texts = ["one two", "two three"] * 9_000
    whole = word_tokenizer.read_words(texts)
    monkeypatch.setattr(scansion.memory, "_free_addresses", lambda: 100 * 2.0**20)
    monkeypatch.setattr(threading.Thread, "start", lambda self: pytest.fail("a thread was started"))
    found = word_tokenizer.read_words(texts)
    assert np.array_equal(found.ids, whole.ids)
    assert (found.types, found.reading) == (whole.types, whole.reading)
    with pytest.raises(ZeroDivisionError):
        list(scansion.memory.pool_of(2).map(lambda number: 1 / number, [1, 0]))


def test_many_labels_are_warned_of(monkeypatch):
    monkeypatch.setattr("scansion.tasks.target_questions.MANY_LABELS", 4)
    labels = [f"l{number % 5}" for number in range(40)]
    with pytest.warns(TargetWarning, match="There are 5 different labels, 8.0 rows each"):
        DocumentClassifier(BagOfWords()).fit([f"w{number % 9} x" for number in range(40)], labels)


def test_a_long_document_read_in_pieces_is_the_same_document(monkeypatch):
    draw = random.Random(0)
    letters = "abc é  \n\t\u3000,.\u4e2d\u0e01\u0e32e\u0301\u00ad'’Σ"
    texts = ["".join(draw.choices(letters, k=length)) for length in (0, 1, 40, 700, 3_000, 5, 0)]
    whole = word_tokenizer.read_words(texts, threads=1)
    for size in (1, 7, 50, 1_000):
        monkeypatch.setattr(word_tokenizer, "CHUNK_CHARACTERS", size)
        found = word_tokenizer.read_words(texts, threads=2)
        assert [found.words(number) for number in range(len(texts))] == [whole.words(n) for n in range(len(texts))]
        assert np.array_equal(found.offsets, whole.offsets)
        assert found.reading == whole.reading


def test_a_document_without_a_blank_is_refused_where_no_memory_would_be_enough(monkeypatch):
    monkeypatch.setattr(word_tokenizer, "CHUNK_CHARACTERS", 10)
    monkeypatch.setattr(word_tokenizer, "LONGEST_RUN", 100)
    word_tokenizer.read_words(["x" * 100 + " y"])
    with pytest.raises(DataError, match="more than 100 characters without a blank, from 'a b xxx"):
        word_tokenizer.read_words(["a b " + "x" * 101])


def environment() -> dict[str, str]:
    paths = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}


@pytest.mark.long
@pytest.mark.parametrize("family", ["bag-of-words", "lstm"])
def test_a_document_of_fifty_megabytes_takes_less_than_a_gigabyte(family, tmp_path, tried):
    draw = random.Random(0)
    rows = [f"{('good', 'bad')[number % 2]} thing {number},{'pn'[number % 2]}" for number in range(40)]
    long = " ".join(f"w{draw.randrange(10**6)}" for _ in range(6_500_000))
    (tmp_path / "long.csv").write_text("\n".join(["text,label", *rows, f"{long},p", ""]))
    program = (
        "import resource, sys; from scansion.cli.main import carry_out; code = carry_out(sys.argv[1:]); "
        "print('MiB:', max(resource.getrusage(who).ru_maxrss for who in (0, -1)) // 1024); sys.exit(code)"
    )
    words = ["fit", tmp_path / "long.csv", "--family", family, "--out", tmp_path / "model"]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], env=environment(), capture_output=True, text=True,
        check=False,
    )
    mebibytes = int(done.stdout.split("MiB: ")[-1])
    refused = "A text of 6,500,0" in done.stderr and "Split it, or take" in done.stderr
    good = mebibytes < 1024 and (done.returncode == 0 or refused)
    tried(f"documents of 50 MB, {family}", 1, not good)
    assert good, (mebibytes, done.stderr[-500:])


@pytest.mark.long
def test_a_process_that_may_take_no_more_memory_says_so_and_loses_nothing(tmp_path, tried):
    counted, network = tmp_path / "counted", tmp_path / "network"
    commands = [
        ["fit", DATA, "--family", "bag-of-words", "--force", "--out", counted], ["predict", counted, DATA],
        ["evaluate", counted, DATA, "--json"], ["look", counted, "good", "--out", tmp_path / "look.html"],
        ["fit", DATA, "--family", "lstm", "--budget", "1s", "--force", "--out", network], ["predict", network, DATA],
    ]  # fmt: skip
    commands = [[str(word) for word in words] for words in commands]
    done = subprocess.run(
        [sys.executable, limited.__file__, json.dumps([commands, MEBIBYTES])], env=environment(), capture_output=True,
        text=True, check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    crashed = [each for each in ends if each[2] < 0]
    broken = [each for each in ends if "Traceback" in each[3] or "This is a bug" in each[3]]
    tried("commands that may take no more memory", len(ends) - len(commands), len(broken))
    tried("of them ended by a signal inside a library, nothing lost", len(crashed))
    assert not broken
    assert {-each[2] for each in crashed} <= {signal.SIGSEGV, signal.SIGABRT}
    assert len(crashed) <= 0.1 * len(ends)
    for folder in (counted, network):
        assert load(folder).predict(["good"])


@pytest.mark.long
@pytest.mark.parametrize("family", ["bag-of-words", "lstm"])
def test_a_process_that_can_start_no_more_threads_says_so(family, tmp_path, tried):
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed; apt install strace brings it")
    calls, broken, numbers = "clone,clone3,fork,vfork", [], range(1, 9)
    for number in numbers:
        command = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={calls}",
                   "-e", f"inject={calls}:error=EAGAIN:when={number}+", sys.executable, "-m", "scansion", "fit",
                   str(DATA), "--family", family, "--budget", "2s", "--force", "--out", str(tmp_path / "model")]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)
        if "Traceback" in done.stderr or "This is a bug" in done.stderr or done.returncode not in (0, 1, 130):
            broken.append((number, done.returncode, done.stderr[-300:]))
    tried(f"no more threads, fit of {family}", len(numbers), len(broken))
    assert not broken
