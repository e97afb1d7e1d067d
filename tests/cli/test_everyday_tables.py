"""What happens to tables between training and use, in every format: read right, or an error that names what to do.

A matrix, made and not hand-picked: every format that tables have, every change, every kind of answer, both verbs. A
cell says what must come: the answers themselves, or the exit code and what the sentence names. ``notes`` is longer than
the texts and speaks for the other answer, so whoever guesses is caught.
"""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pandas
import pytest

from scansion.text.tables import FORMATS

ROWS = 24
UP, DOWN = "fine warm funny bright film", "dull cold dreary grey film"
ANSWERS: dict[str, tuple] = {"labels": ("up", "down"), "whole numbers": (1, 0), "numbers": (2.25, -1.5)}
"""By the kind of answer, that to an even row and that to an odd one."""


def written_csv(frame: pandas.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False)


def written_tsv(frame: pandas.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, sep="\t", quoting=csv.QUOTE_NONE)


def written_excel(frame: pandas.DataFrame, path: Path) -> None:
    frame.to_excel(path, index=False)


WRITERS: dict[str, Callable[[pandas.DataFrame, Path], None]] = {
    "csv": written_csv,
    "tsv": written_tsv,
    "jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "json": lambda frame, path: frame.to_json(path, orient="records"),
    "parquet": lambda frame, path: frame.to_parquet(path, index=False),
    "xlsx": written_excel,
    "ods": written_excel,
}
"""As pandas writes them, which is how they come; by the endings of :data:`scansion.text.tables.FORMATS`."""
NO_TABLES = {"txt", "folder", "dataset"}
TABLES = [name for name in FORMATS if name in WRITERS]


def test_every_format_of_tables_is_in_the_matrix():
    assert set(FORMATS) - NO_TABLES - set(WRITERS) <= {"arrow"}


def table(answers: tuple) -> pandas.DataFrame:
    """Texts, and answers that follow from them."""
    rows = range(ROWS)
    return pandas.DataFrame({
        "id": [f"t-{row}" for row in rows],
        "text": [f"{DOWN if row % 2 else UP} {row}" for row in rows],
        "label": [answers[row % 2] for row in rows],
    })  # fmt: skip


def with_notes(frame: pandas.DataFrame) -> pandas.DataFrame:
    return frame.assign(notes=[f"{UP if row % 2 else DOWN}, " * 5 for row in range(ROWS)])


def with_empty(frame: pandas.DataFrame, column: str, cell: object) -> pandas.DataFrame:
    """Cells 3 and 4 of a column hold nothing."""
    return frame.assign(**{column: [cell if row in (3, 4) else each for row, each in enumerate(frame[column])]})


RIGHT = "right"
CHANGES: dict[str, tuple[Callable, object, object]] = {
    "nothing": (lambda frame: frame, RIGHT, RIGHT),
    "a longer column": (with_notes, RIGHT, RIGHT),
    "another order": (lambda frame: with_notes(frame)[["notes", "label", "text", "id"]], RIGHT, RIGHT),
    "a renamed text": (lambda frame: with_notes(frame).rename(columns={"text": "Text"}), (2, "mean 'Text'"),
                       (2, "mean 'Text'")),
    "a renamed target": (lambda frame: with_notes(frame).rename(columns={"label": "gold"}), RIGHT, (2, "'gold'")),
    "no text": (lambda frame: with_notes(frame).drop(columns="text"), (2, "'notes'"), (2, "'notes'")),
    "no target": (lambda frame: with_notes(frame).drop(columns="label"), RIGHT, (2, "for the target")),
    "an empty text": (lambda frame: with_empty(with_notes(frame), "text", ""), "empty", "empty"),
    "a missing text": (lambda frame: with_empty(with_notes(frame), "text", None), "empty", "empty"),
    "a target that is NaN": (lambda frame: with_empty(with_notes(frame), "label", None), RIGHT, (4, "row 4 'label'")),
}  # fmt: skip
"""The change, and what must come of ``predict`` and of ``evaluate``; ``empty`` is right, or an error that says so."""


@pytest.fixture(scope="module", params=list(ANSWERS))
def kind(request, tmp_path_factory, fitted):
    """A kind of answer, and a model that gives them."""
    place = tmp_path_factory.mktemp("trained") / "trained.csv"
    table(ANSWERS[request.param]).to_csv(place, index=False)
    return request.param, fitted("model", place)


@pytest.mark.parametrize("ending", TABLES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_table_is_read_right_or_refused_with_the_way_on(change, ending, kind, scansion, tmp_path):
    name, model = kind
    make, *wanted = CHANGES[change]
    new = tmp_path / f"new.{ending}"
    WRITERS[ending](make(table(ANSWERS[name])), new)
    asked = (("predict", model, new, "--json"), ("evaluate", model, new, "--json"))
    for words, expected in zip(asked, wanted, strict=True):
        check(scansion(*words), expected, ANSWERS[name])


def check(done, expected, answers: tuple) -> None:
    assert "Traceback" not in done.err
    if expected == "empty":
        expected = RIGHT if done.code == 0 else (4, "row 4")
    if expected is not RIGHT:
        assert (done.code, done.out) == (expected[0], "")
        assert expected[1] in done.err
        return
    assert done.code == 0, done.err
    assert "text: 'text' (as in training" in done.err
    found = [json.loads(line)["prediction"] for line in done.out.splitlines()] if '"prediction"' in done.out else None
    if found is None:
        assert json.loads(done.out)["score"] > 0.8
        return
    assert len(found) == ROWS
    for row, answer in enumerate(found):
        mine, other = answers[row % 2], answers[1 - row % 2]
        if row not in (3, 4):  # where the text may be empty
            assert str(answer) == str(mine) or (type(answer) is float and abs(answer - mine) < abs(answer - other))


@pytest.mark.parametrize("ending", TABLES)
def test_what_was_renamed_can_be_named_and_what_is_bad_left_out(ending, kind, scansion, tmp_path):
    name, model = kind
    new = tmp_path / f"new.{ending}"
    renamed = with_notes(table(ANSWERS[name])).rename(columns={"text": "Text", "label": "gold"})
    WRITERS[ending](renamed, new)
    done = scansion("evaluate", model, new, "--text", "Text", "--target", "gold", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["score"] > 0.8
    WRITERS[ending](with_empty(table(ANSWERS[name]), "label", None), new)
    done = scansion("evaluate", model, new, "--max-bad", "0.1", "--json")
    if name != "whole numbers":  # pandas makes 1.0 of a 1 beside NaN, which is another label as it is written
        assert done.code == 0, done.err
        assert json.loads(done.out)["rows"] == ROWS - 2
    elif done.code:
        assert "training had none of the labels in 'label': '0.0', '1.0'; it had '0', '1'" in done.err


@pytest.fixture(scope="module")
def two_columns(tmp_path_factory, fitted):
    """A model of titles and bodies, neither of which is enough: the last word of one and the first of the other."""
    place = tmp_path_factory.mktemp("trained") / "trained.csv"
    titled().to_csv(place, index=False)
    return fitted("two", place, "--text", "title,body")


def titled() -> pandas.DataFrame:
    rows = range(ROWS)
    return pandas.DataFrame({
        "id": [f"t-{row}" for row in rows],
        "title": [(DOWN if row % 2 else UP) if row % 4 < 2 else "" for row in rows],
        "body": ["film" if row % 4 < 2 else (DOWN if row % 2 else UP) for row in rows],
        "label": ["down" if row % 2 else "up" for row in rows],
    })  # fmt: skip


@pytest.mark.parametrize("ending", TABLES)
def test_joined_columns_are_the_same_text_in_every_format_and_order(ending, two_columns, scansion, tmp_path):
    new = tmp_path / f"new.{ending}"
    for frame in (titled(), titled()[["label", "body", "title"]], titled().replace({"title": {"": None}})):
        WRITERS[ending](frame, new)
        done = scansion("evaluate", two_columns, new, "--json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["score"] == 1
        assert "'title' and 'body' (as in training; joined by a blank line" in done.err
    WRITERS[ending](titled().drop(columns="title"), new)
    assert scansion("predict", two_columns, new).code == 2


def test_a_folder_without_columns_chooses_as_before_and_says_which(scansion, fitted, tmp_path):
    table(ANSWERS["labels"]).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "lines").mkdir()
    for label, text in (("up", UP), ("down", DOWN)):
        (tmp_path / "folder" / label).mkdir(parents=True)
        for number in range(8):
            (tmp_path / "folder" / label / f"{number}.txt").write_text(text)
    model = fitted("unnamed", tmp_path / "folder")
    done = scansion("predict", model, tmp_path / "t.csv")
    assert done.out.splitlines() == ["up", "down"] * (ROWS // 2)
    assert "t.csv: text: 'text' (the longest texts" in done.err
    (tmp_path / "t.txt").write_text(f"{UP}\n{DOWN}\n")
    assert scansion("predict", model, tmp_path / "t.txt") == (0, "up\ndown\n", "")


def test_what_is_trained_on_several_labels_remembers_what_stood_between_them(scansion, fitted, tmp_path):
    rows = ["red apple;food;fruit", "blue sky;sky", "pie;food"]
    lines = [f"{row.split(';')[0]},{';'.join(row.split(';')[1:])}" for row in rows] * 8
    (tmp_path / "t.csv").write_text("\n".join(["text,topics", *lines, ""]))
    model = fitted("semicolons", tmp_path / "t.csv", "--label-separator", ";")
    assert json.loads(scansion("evaluate", model, tmp_path / "t.csv", "--json").out)["score"] == 1
    assert scansion("predict", model, tmp_path / "t.csv").out.splitlines()[0] == "food;fruit"


def test_a_target_of_other_labels_altogether_is_another_question(scansion, model, tmp_path):
    (tmp_path / "t.csv").write_text("text,label\na b,1\nc d,2\n")
    done = scansion("evaluate", model, tmp_path / "t.csv")
    assert (done.code, done.out) == (4, "")
    assert "none of the labels in 'label': '1', '2'; it had 'negative', 'positive'" in done.err


TWICE = [
    ("fit", "t.csv", "--family", "rnn", "--family", "lstm", "--out", "m"),
    ("fit", "t.csv", "--family", "rnn", "--out", "m", "--text", "a", "--text", "b"),
    ("fit", "t.csv", "--family", "rnn", "--out", "m", "--set", "width=8", "--set", "width=9"),
    ("predict", "m", "t.csv", "--proba", "--proba"),
    ("evaluate", "m", "t.csv", "--target=a", "--target", "b"),
    ("compare", "t.csv", "--folds", "2", "--folds", "3"),
    ("look", "m", "a text", "--out", "a.html", "--out", "b.html"),
    ("families", "--json", "--json"),
]


@pytest.mark.parametrize("words", TWICE, ids=" ".join)
def test_an_option_that_is_taken_once_is_not_given_twice(words, scansion):
    done = scansion(*words)
    assert (done.code, done.out) == (2, "")
    assert "given 2 times, and only one is taken" in done.err


def test_what_may_be_repeated_is_repeated(scansion, tmp_path):
    table(ANSWERS["labels"]).to_csv(tmp_path / "t.csv", index=False)
    words = ("--family", "n-grams", "--set", "order=1", "--set", "min_documents=2", "--out", tmp_path / "m")
    assert scansion("fit", tmp_path / "t.csv", *words).code == 0


def test_a_table_that_comes_as_plain_lines_is_noticed(scansion, two_columns, tmp_path, monkeypatch):
    titled().to_csv(tmp_path / "t.csv", index=False)
    with (tmp_path / "t.csv").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        done = scansion("predict", two_columns)
    assert len(done.out.splitlines()) == ROWS + 1
    assert "pipe it as csv with --text title,body" in done.err
    with (tmp_path / "t.csv").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert len(scansion("predict", two_columns, "--text", "title,body").out.splitlines()) == ROWS
