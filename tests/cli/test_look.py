"""``scansion look``: a page, a line a model, and what cannot be looked at refused before anything is done."""

import io
import json
import sys

import numpy as np
import pytest

from scansion.cli.main import carry_out


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "a").write_text("one two\ntwo three\n" * 20)
    (folder / "b").write_text("eins zwei\nzwei drei\n" * 20)
    sizes = ("--set", "width=16", "--set", "hidden_size=16", "--budget", "3s", "--processes", "1")
    done = carry_out(["fit", str(folder / "a"), str(folder / "b"), "--family", "lstm", *sizes,
                      "--out", str(folder / "translator")])
    assert done == 0
    return folder / "translator"


def test_a_look_writes_a_page_and_a_line_with_what_counts_most(scansion, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = scansion("look", model, "a moving and funny film")
    assert done.code == 0
    family, answer, probability, *_ = done.out.split("\t")
    assert (family, answer) == ("bag-of-words", "positive")
    assert 0.5 < float(probability) <= 1
    assert "look.html: open it in a browser" in done.err
    assert (tmp_path / "look.html").read_text().startswith("<!DOCTYPE html>")


def test_several_models_stand_on_one_page(scansion, model, fitted, tmp_path):
    done = scansion("look", model, model, "dull", "--out", tmp_path / "two.html", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert found["words"] == ["dull"]
    assert [each["answer"] for each in found["models"]] == ["negative", "negative"]
    for each in found["models"]:
        assert each["base"] + sum(each["contributions"]) == pytest.approx(each["score"], rel=1e-6, abs=1e-5)


def test_another_answer_is_looked_at_on_request(scansion, model, tmp_path):
    done = scansion("look", model, "dull", "--answer", "positive", "--out", tmp_path / "x.html", "--json")
    found = json.loads(done.out)
    (looked_at,) = found["models"]
    assert (looked_at["decision"], looked_at["answer"]) == ("negative", "positive")
    assert looked_at["probability"] < 0.5


def test_numbers_are_shown_as_they_are_predicted(scansion, numbers, tmp_path, monkeypatch):
    text = "a moving film"
    (tmp_path / "new.txt").write_text(text)
    predicted = float(scansion("predict", numbers, tmp_path / "new.txt").out)
    found = json.loads(scansion("look", numbers, text, "--out", tmp_path / "x.html", "--json").out)
    assert found["models"][0]["score"] == pytest.approx(predicted, abs=1e-5)


def test_the_text_comes_from_standard_input_too(scansion, model, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"two lines,\nboth dull")))
    found = json.loads(scansion("look", model, "-", "--out", tmp_path / "x.html", "--json").out)
    assert found["text"] == "two lines,\nboth dull"


def test_a_translation_is_looked_at(scansion, translator, tmp_path):
    done = scansion("look", translator, "one two", "--out", tmp_path / "x.html", "--npz", tmp_path / "x.npz")
    assert done.code == 0
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays["across_weights"].shape[:2] == (1, 1)
    found = json.loads(scansion("look", translator, "one two", "--translation", "zwei eins", "--out",
                               tmp_path / "x.html", "--json").out)
    assert found["target"] == "zwei eins"
    assert len(found["alignment"]) >= 2


@pytest.mark.parametrize(("words", "sentence"), [
    (["MODEL"], "A model and a text are needed"),
    (["MODEL", "dull", "--answer", "positiv"], "no label 'positiv'; did you mean 'positive'"),
    (["MODEL", "dull", "--npz", "x.txt"], "Arrays are kept as .npz; got x.txt"),
    (["MODEL", "dull", "--out", "nowhere/x.html"], "no folder nowhere to write x.html into"),
    (["MODEL", "dull", "--out", "notes.txt"], "no page that scansion wrote"),
    (["MODEL", "dull", "--translation", "x"], "--translation does not go with a table of texts and labels"),
    (["MODEL", "dull", "--window", "2"], "no window 2: this text is read in 1"),
    (["NUMBERS", "dull", "--answer", "x"], "answers with numbers"),
    (["MODEL", "NUMBERS", "dull"], "no scale in common"),
    (["TRANSLATOR", "MODEL", "one"], "different kinds of questions. Look at them one by one"),
    (["TRANSLATOR", "TRANSLATOR", "one"], "One translator is looked at at a time"),
    (["TRANSLATOR", "one", "--answer", "x"], "--answer does not go with two files of parallel text"),
    (["TRANSLATOR", "one", "--window", "2"], "--window does not go with two files of parallel text"),
])
def test_what_cannot_be_looked_at_is_a_sentence(
    scansion, model, numbers, translator, tmp_path, monkeypatch, words, sentence
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    places = {"MODEL": model, "NUMBERS": numbers, "TRANSLATOR": translator}
    done = scansion("look", *(places.get(word, word) for word in words))
    assert (done.code, done.out) == (2, "")
    assert sentence in " ".join(done.err.split())
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "look.html").exists()
