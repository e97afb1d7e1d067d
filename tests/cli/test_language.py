"""Language models by the command: plain text in, a figure and more text out, one clear sentence for what is wrong."""

import json

import pytest

from decoders import change, folder_of

LINES = [f"{who} {does} in the {where}" for who in ("a king", "the fool", "no man") for does in ("sleeps", "wakes")
         for where in ("tower", "garden", "dark")]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("language")
    (folder / "train.txt").write_text("".join(f"{line}\n" for line in LINES * 5))
    (folder / "new.txt").write_text("".join(f"{line}\n" for line in LINES[::3]))
    (folder / "table.csv").write_text("id,body\n" + "".join(f"{i},{line}\n" for i, line in enumerate(LINES)))
    (folder / "empty.txt").write_text("")
    return folder


@pytest.fixture
def model(scansion, place):
    if not (place / "m").exists():
        done = scansion("fit", place / "train.txt", "--out", place / "m")
        assert done.code == 0, done.err
        assert "train.txt: 90 documents, 2,355 characters; task: language (plain text). A document is a" in done.err
        assert "tokens: characters, a vocabulary of" in done.err
        assert "its discounts are 0.5, 1.0, 1.5" in done.err
    return place / "m"


def test_a_model_is_scored_in_bits_per_byte_with_nats_perplexity_and_signature(scansion, model, place):
    done = scansion("evaluate", model, place / "new.txt")
    first, second, third = done.out.splitlines()
    assert first.startswith("bits per byte   0.")
    assert first.endswith("95 % of 6 documents); lower is better")
    assert second.startswith("nats a token")
    assert "perplexity" in second
    assert third.startswith("signature       tokens:characters|vocabulary:")
    found = json.loads(scansion("evaluate", model, place / "new.txt", "--json").out)
    assert found["low"] <= found["bits_per_byte"] <= found["high"]
    assert (found["documents"], found["bytes"]) == (6, len((place / "new.txt").read_bytes()))


def test_a_score_that_is_too_high_has_its_exit_code(scansion, model, place):
    assert scansion("evaluate", model, place / "new.txt", "--at-most", 2).code == 0
    done = scansion("evaluate", model, place / "new.txt", "--at-most", "0.01")
    assert done.code == 3
    assert "above the 0.01 that was demanded" in done.err


def test_every_document_is_answered_by_its_bits_per_byte(scansion, model, place):
    answers = [float(line) for line in scansion("predict", model, place / "new.txt").out.splitlines()]
    assert len(answers) == 6
    assert max(answers) < 1.5
    done = scansion("predict", model, place / "table.csv", "--text", "body", "--json")
    assert all(json.loads(line).keys() == {"prediction", "tokens_known", "tokens"} for line in done.out.splitlines())


def test_what_is_written_comes_behind_the_prompt_and_the_seed_decides_it(scansion, model):
    once = scansion("generate", model, "the fool", "--random-state", 1)
    assert once.code == 0, once.err
    assert once.out.startswith("the fool")
    assert once.out == scansion("generate", model, "the fool", "--random-state", 1).out
    assert scansion("generate", model, "the f", "--temperature", 0, "--max-tokens", 3).out == "the fool\n"
    assert scansion("generate", model, "the f", "--temperature", 0, "--stop", "l").out == "the foo\n"
    several = scansion("generate", model, "no", "--count", 3, "--json", "--top-p", "0.9", "--min-p", "0.01").out
    assert [json.loads(line)["prompt"] for line in several.splitlines()] == ["no"] * 3
    assert scansion("generate", model, "--count", 2).out.count("--- ") == 2


def test_words_and_a_tables_column_are_learned_where_that_is_said(scansion, place):
    done = scansion("fit", place / "table.csv", "--task", "language", "--text", "body", "--tokens", "words", "--set",
                    "order=2", "--out", place / "words", "--json")  # fmt: skip
    assert done.code == 0, done.err
    assert json.loads(done.out)["tokens"] == "words"
    done = scansion("evaluate", place / "words", place / "table.csv")
    assert done.code == 0, done.err
    assert "documents:rows" in done.out
    assert "context:1 tokens of the document" in done.out


@pytest.mark.parametrize(("words", "code", "said"), [
    (("fit", "empty.txt", "--out", "x"), 4, "empty.txt holds no text."),
    (("fit", "train.txt", "--out", "x", "--family", "bag-of-words"), 2, "'bag-of-words' is a family for"),
    (("fit", "train.txt", "--out", "x", "--tokens", "letters"), 2, "There are no tokens 'letters'"),
    (("fit", "train.txt", "--out", "x", "--documents", "pages"), 2, "A document is no 'pages'"),
    (("fit", "train.txt", "--out", "x", "--target", "label"), 2, "--target does not go with plain text"),
    (("fit", "train.txt", "--out", "x", "--set", "order=0"), 2, "order must be a whole number of at least 1"),
    (("evaluate", "m", "empty.txt"), 4, "empty.txt holds no text."),
    (("evaluate", "m", "new.txt", "--target", "x"), 2, "--target does not go with plain text"),
    (("look", "m", "a king", "--answer", "x"), 2, "--answer does not go with plain text"),
    (("look", "m", "a king", "--window", "2"), 2, "There is no window 2: this text is read in 1"),
    (("fit", "train.txt", "--out", "x", "--family", "interpolated", "--set", "network=n-grams"), 2, "no network 'n-gr"),
    (("generate", "m", "--temperature", "-1"), 2, "A temperature is at least 0"),
    (("generate", "m", "--stop", ""), 2, "A text to stop at is empty."),
    (("predict", "m", "new.txt", "--proba"), 2, "--proba does not go with plain text"),
    (("predict", "m", "new.txt", "--engine", "ctranslate2"), 2, "does not run language models"),
    (("generate", "m", "--engine", "ctranslate"), 2, "no engine 'ctranslate' that writes; did you mean 'ctranslate2'?"),
    (("generate", "m", "--engine", "ctranslate2"), 2, "a format of Transformers, and this is the family n-grams"),
    (("generate", "m", "--precision", "int8"), 2, "--precision is for another engine"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(scansion, model, place, monkeypatch, words, code, said):
    monkeypatch.chdir(place)
    done = scansion(*words)
    assert done.code == code
    assert said in done.err.splitlines()[-1]
    assert not (place / "x").exists()


def test_a_look_writes_a_page_and_says_what_surprised_and_what_comes_next(scansion, model, place):
    done = scansion("look", model, "a king sleeps in the dungeon", "--out", place / "look.html")
    assert done.code == 0, done.err
    assert done.out.startswith("n-grams: ")
    assert "bits per byte; bits 'n' " in done.out or "bits per byte; bits 'u' " in done.out
    assert (place / "look.html").read_text().startswith("<!DOCTYPE html>")
    found = json.loads(scansion("look", model, model, "a king", "--out", place / "look.html", "--json").out)
    first, second = found["models"]
    assert first["tokens"] == list("a king")
    assert sum(first["bits_of_words"]) == pytest.approx(sum(first["bits"][:-1]))
    assert (second["family"], second["bits"]) == ("n-grams-2", first["bits"])


def test_what_does_not_write_says_so(scansion, fitted, place):
    rows = "".join(f"{line},{'ab'[number % 2]}\n" for number, line in enumerate(LINES))
    (place / "labelled.csv").write_text(f"text,label\n{rows}")
    done = scansion("generate", fitted("labels", place / "labelled.csv"), "a")
    assert done.code == 2
    assert "does not write on" in done.err


def test_folders_of_hugging_face_and_arpa_files_stand_where_models_do(scansion, model, place):
    theirs, text = place / "llama", place / "new.txt"
    folder_of("llama", theirs, tied=True)
    for foreign in (theirs, place / "model.arpa"):
        if foreign.name == "model.arpa":
            assert scansion("export", model, "--to", "arpa", "--out", foreign).code == 0
        done = scansion("evaluate", foreign, text)
        assert done.code == 0, done.err
        assert done.out.startswith("bits per byte")
        written = scansion("generate", foreign, "the king", "--max-tokens", 5, "--temperature", 0)
        assert written.out.startswith("the king")
    greedy = ("generate", theirs, "the king", "--max-tokens", 5, "--temperature", 0)
    assert scansion(*greedy, "--engine", "ctranslate2").out == scansion(*greedy).out
    change(theirs, model_type="mamba")
    done = scansion("generate", theirs, "a")
    assert done.code == 1
    assert "is of architecture 'mamba'; language models are read of: gpt2, llama" in done.err
