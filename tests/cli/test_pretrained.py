"""Pretrained weights by the command: other people's, one's own, and vectors out."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import load_npz

from encoders import write_encoder

pytestmark = pytest.mark.usefixtures("warm_processes")

DATA = Path(__file__).parents[1] / "data"
WORDS = ["good", "bad", *(f"w{i}" for i in range(7))]
SIZES = ["width=16", "heads=2", "layers=1", "feed_forward=32"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SCANSION_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def table(tmp_path) -> Path:
    rows = [f"{'good' if i % 2 else 'bad'} w{i % 7}\t{'up' if i % 2 else 'down'}" for i in range(80)]
    (tmp_path / "table.tsv").write_text("\n".join(["text\tlabel", *rows, ""]))
    return tmp_path / "table.tsv"


@pytest.fixture
def encoder(tmp_path) -> Path:
    return write_encoder(tmp_path / "encoder", WORDS)


def test_weights_are_taken_from_a_folder_and_used_as_asked(scansion, table, encoder, tmp_path):
    words = ["fit", table, "--family", "pretrained", "--from", encoder]
    done = scansion(*words, "--mode", "frozen", "--out", tmp_path / "frozen")
    assert done.code == 0
    assert "frozen, as was asked" in done.err
    answers = scansion("predict", tmp_path / "frozen", table).out.splitlines()
    assert np.mean([answer == ("up" if i % 2 else "down") for i, answer in enumerate(answers)]) > 0.9
    assert "fine-tuned, as was asked" in scansion(*words, "--mode", "fine-tuned", "--out", tmp_path / "tuned").err
    assert "frozen: with fewer than" in scansion(*words, "--out", tmp_path / "auto").err


def test_vectors_are_written_dense_or_sparse(scansion, table, encoder, tmp_path):
    scansion("fit", table, "--family", "pretrained", "--from", encoder, "--out", tmp_path / "dense")
    scansion("fit", table, "--family", "bag-of-words", "--out", tmp_path / "sparse")
    done = scansion("predict", tmp_path / "dense", table, "--vectors", tmp_path / "v.npy")
    assert (done.code, done.out) == (0, "")
    assert "80 vectors of 16 numbers" in done.err
    assert np.load(tmp_path / "v.npy").shape == (80, 16)
    assert scansion("predict", tmp_path / "sparse", table, "--vectors", tmp_path / "v.npz").code == 0
    assert load_npz(tmp_path / "v.npz").shape == (80, 9)
    wrong = scansion("predict", tmp_path / "dense", table, "--vectors", tmp_path / "v.npz")
    assert wrong.code == 2
    assert "kept as .npy" in wrong.err
    assert scansion("predict", tmp_path / "dense", table, "--vectors", tmp_path / "v.npy", "--proba").code == 2


def test_a_network_learns_from_texts_without_answers_first(scansion, table, tmp_path):
    (tmp_path / "more.txt").write_text("\n".join(f"w{i % 7} w{(i + 1) % 7} w{(i + 2) % 7}" for i in range(200)))
    words = ["fit", table, "--family", "transformer", "--set", "width=16", "--out", tmp_path / "m"]
    done = scansion(*words, "--pretrain", "own", "--unlabelled", tmp_path / "more.txt", "--processes", "1")
    assert done.code == 0
    assert "200 documents without answers" in done.err
    assert "pretrained on 280 texts without their answers" in done.err
    assert not list(tmp_path.glob("*.run*"))
    alone = scansion(*words, "--force", "--unlabelled", tmp_path / "more.txt")
    assert alone.code == 2
    assert "--pretrain own" in alone.err


def test_an_encoder_of_ones_own_serves_as_pretrained_weights(scansion, table, tmp_path):
    (tmp_path / "corpus.txt").write_text("\n".join(f"good w{i % 7} and bad w{(3 * i) % 7}" for i in range(200)))
    words = ["fit", tmp_path / "corpus.txt", "--task", "encoder", "--out", tmp_path / "own", "--processes", "1"]
    done = scansion(*words, *(word for size in SIZES for word in ("--set", size)), "--json")
    assert done.code == 0
    assert json.loads(done.out)["task"] == "encoder"
    assert {file.name for file in (tmp_path / "own").iterdir()} == {
        "config.json", "model.safetensors", "tokenizer.json"
    }
    assert scansion(*words).code == 2  # there is one already
    words = ["fit", table, "--family", "pretrained", "--from", tmp_path / "own", "--out", tmp_path / "m"]
    assert scansion(*words).code == 0


def test_a_comparison_takes_weights_from_a_folder_and_adds_own_pretraining(scansion, table, encoder):
    done = scansion(
        "compare", table, "--families", "bag-of-words,rnn", "--from", encoder, "--mode", "frozen", "--pretrain", "own",
        "--seeds", "1", "--processes", "1", "--json",
    )
    assert done.code == 0
    rows = {row["family"]: row["status"] for row in json.loads(done.out)["rows"]}
    assert rows == dict.fromkeys(["majority", "bag-of-words", "rnn", "rnn + own", "pretrained"], "ok")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--family", "lstm", "--mode", "frozen"], "--mode is for the family pretrained"),
        (["--family", "static", "--mode", "frozen"], "--mode is for the family pretrained"),
        (["--family", "rnn", "--static", "none"], "--static is for the families n-grams and bag-of-words"),
        (["--family", "pretrained", "--mode", "frosen"], "did you mean 'frozen'"),
        (["--family", "pretrained", "--from", "./nowhere"], "There is no folder ./nowhere"),
        (["--family", "n-grams", "--pretrain", "own"], "cannot be pretrained on your texts"),
        (["--family", "lstm", "--pretrain", "theirs"], "pretrain is None, 'own' or a Pretraining(...)"),
        (["--task", "encoder", "--family", "lstm"], "--family does not go with texts without answers"),
        ([], "Which family? Give --family"),
    ],
)
def test_a_mistake_gets_a_sentence(words, sentence, scansion, table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = scansion("fit", table, "--out", tmp_path / "m", *words)
    assert done.code in (1, 2)
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "m").exists()
