"""The command in a process of its own: how fast it answers, what pipes, terminals and Ctrl-C do to it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"
COMMAND = [sys.executable, "-m", "scansion"]
ENVIRONMENT = {**os.environ, "COLUMNS": "100", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def run(words: list[object], **settings: object) -> subprocess.CompletedProcess:
    return subprocess.run([*COMMAND, *map(str, words)], env=ENVIRONMENT, timeout=180, check=False, **settings)


def start(words: list[object], folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [*COMMAND, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=folder, env=ENVIRONMENT,
    )


def test_help_answers_at_once():
    seconds = []
    for _ in range(3):
        before = os.times()
        assert run(["--help"], capture_output=True).returncode == 0
        after = os.times()  # of the processor: the clock tells of other work, too
        seconds.append(sum(after[2:4]) - sum(before[2:4]))
    assert min(seconds) < 0.3


def test_help_answers_without_what_is_slow_to_import():
    slow = "('torch', 'numpy', 'sklearn', 'rich.console')"
    code = f"import sys; from scansion.cli.main import build; build(); print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n"


def test_json_is_all_that_reaches_standard_output(tmp_path):
    place = tmp_path / "m"
    words = ["fit", DATA / "polarity.csv", "--family", "bag-of-words", "--out", place, "--json"]
    done = run(words, capture_output=True)
    assert done.returncode == 0
    assert set(json.loads(done.stdout)) == {
        "model", "task", "family", "metric", "validation", "fit_seconds", "processor_seconds", "parameters", "notes",
    }  # fmt: skip
    assert b"text: 'text'" in done.stderr


def test_whoever_reads_only_the_beginning_causes_no_error(model):
    command = " ".join([*COMMAND, "predict", str(model), "-"])
    done = subprocess.run(
        ["bash", "-c", f"yes 'a quiet marvel' | {command} | head -1; exit ${{PIPESTATUS[1]}}"],
        capture_output=True, text=True, env=ENVIRONMENT, timeout=180, check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("positive\n", "negative\n")


def test_lines_are_answered_as_they_come(model, tmp_path):
    with start(["predict", model], tmp_path) as running:
        for _ in range(3):
            running.stdin.write("a quiet marvel\n")
            running.stdin.flush()
            assert select.select([running.stdout], [], [], 30)[0], "no answer while the pipe is open"
            assert running.stdout.readline().strip() in ("positive", "negative")
        running.stdin.close()
        assert running.stdout.read() == ""
    assert running.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_named_and_is_no_bug(model):
    with open("/dev/full", "w") as full:
        done = run(["predict", model, DATA / "polarity.csv"], stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (
        1, b"polarity.csv: text: 'text' (as in training).\n"
        b"scansion: No space left on device. Check the place and the disk.\n",
    )  # fmt: skip


def test_predict_on_a_terminal_does_not_wait_in_silence(model):
    terminal, side = pty.openpty()
    done = run(["predict", model], stdin=side, capture_output=True)
    os.close(terminal)
    os.close(side)
    assert done.returncode == 2
    assert b"nothing to answer" in done.stderr


@pytest.mark.parametrize(
    ("words", "signs", "kept"),
    [
        (["fit", "../many.csv", "--family", "lstm", "--processes", "1", "--out", "m"], "epoch 1 of", "Stopped after"),
        (["compare", "../many.csv", "--families", "lstm", "--seeds", "99"], "majority, seed 0", "are above"),
    ],
    ids=["fit", "compare"],
)
def test_ctrl_c_ends_with_what_was_kept_and_nothing_half_written(words, signs, kept, tmp_path):
    header, *rows = (DATA / "polarity.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "many.csv").write_text("\n".join([header, *rows * 5, ""]), encoding="utf-8")
    (folder := tmp_path / "here").mkdir()
    with start(words, folder) as running:
        while signs not in (line := running.stderr.readline()):
            assert line, "ended before it could be interrupted"
        running.send_signal(signal.SIGINT)
        table, errors = running.stdout.read(), running.stderr.read()
    assert running.returncode == 130
    assert kept in errors
    assert "Traceback" not in errors
    assert [entry.name for entry in folder.iterdir()] == (["m.run"] if words[0] == "fit" else [])
    assert [file.name for file in tmp_path.iterdir() if file != folder] == ["many.csv"]
    assert ("majority" in table) == (words[0] == "compare")


def test_a_comparison_that_is_killed_leaves_no_texts_behind(tmp_path):
    command = [*COMMAND, "compare", str(DATA / "polarity.csv"), "--families", "lstm", "--seeds", "9"]
    environment = ENVIRONMENT | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        while b"lstm, seed 0" not in (line := running.stderr.readline()):
            assert line, "ended before it could be killed"
        assert list(tmp_path.glob("scansion-comparison-*/texts.jsonl"))
        running.kill()
    deadline = time.monotonic() + 20
    while list(tmp_path.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
