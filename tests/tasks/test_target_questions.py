"""What is asked about targets before a fit: what was found, by name, and what else there is."""

import warnings

import pytest

from scansion import DocumentClassifier, DocumentRegressor
from scansion.errors import TargetWarning
from scansion.tasks.target_questions import IN_PYTHON, in_command, questions_of_labels, questions_of_numbers

COMMAND = in_command("answer", ["id", "mood"])
DATES = [
    [f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}" for i in range(20)], [f"{i + 1}.3.2024" for i in range(20)],
    [f"{i + 1}/03/24 10:30" for i in range(20)], [f"{i + 1} March 2024" for i in range(20)],
    [f"Mar {i + 1}, 2024" for i in range(20)], ["2024-01-31T10:00:00Z"] * 10 + ["2024-02-01T10:00:00+01:00"] * 10,
]


@pytest.mark.parametrize("targets", DATES, ids=lambda targets: targets[0])
def test_dates_are_questioned_with_the_columns_that_are_left(targets):
    [question] = questions_of_labels(targets, COMMAND)
    assert question.startswith(f"The target 'answer' holds dates such as {targets[0]!r}, ")
    assert "name another with --target (there are also 'id', 'mood')" in question


NO_DATES = [[one, other] * 10 for one, other in (("1.2", "3.4"), ("24-7", "9-5"), ("may", "june"), ("1-2-3", "4"))]


@pytest.mark.parametrize("targets", NO_DATES, ids=lambda targets: targets[0])
def test_what_only_resembles_a_date_is_none(targets):
    assert questions_of_labels(targets, COMMAND) == ()


@pytest.mark.parametrize("targets", [
    [f"T-{i}" for i in range(30)], [*"ab" * 5, *map(str, range(20))], list(range(10)),
    [f"a name of its own {i}" for i in range(12)],
], ids=lambda targets: str(targets[0]))
def test_nearly_as_many_labels_as_rows_are_questioned(targets):
    [question] = questions_of_labels(targets, COMMAND)
    assert f"The target 'answer' has {len(set(targets)):,} different labels in {len(targets):,} rows" in question
    assert "'id', 'mood'" in question


@pytest.mark.parametrize("targets", [
    ["a", "b"] * 10, ["a", "b", "c"], [*"ab" * 20, *"cdefgh"], [True, False] * 10,
    [("a", f"t{i % 5}") for i in range(20)],
], ids=str)
def test_ordinary_labels_are_not_questioned(targets):
    assert questions_of_labels(targets, COMMAND) == ()


def test_numbers_that_count_the_rows_are_questioned():
    [question] = questions_of_numbers([float(i) for i in range(1, 31)], COMMAND)
    assert "another whole number on each of 30 rows, from 1 to 30, as an id has" in question
    assert questions_of_numbers([0.5, 1.5, 2.0] * 5, COMMAND) == ()
    assert questions_of_numbers([float(3 * i % 31) for i in range(30)] + [2.0], COMMAND) == ()


SEVERAL = {
    "bars": (["a|b", "a|c", "b"] * 5, "'|'"), "semicolons": (["a; b", "a; c", "b"] * 5, "';'"),
    "commas": (["a,b", "b,c", "a,c"] * 5, "','"),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_separators_between_labels_are_named_with_the_way_to_say_so(name):
    targets, separator = SEVERAL[name]
    [question] = questions_of_labels(targets, COMMAND)
    assert f"give --label-separator {separator}" in question
    [question] = questions_of_labels(targets, IN_PYTHON)
    assert f"target.split({separator})" in question


def test_names_with_a_comma_are_not_taken_for_several_labels():
    assert questions_of_labels(["Doe, Jane", "Smith, John"] * 10, COMMAND) == ()


def test_lists_that_were_taken_for_one_label_are_named():
    for listed in ('["a", "b"]', "['a', 'b']", "[a, b]"):
        [question] = questions_of_labels([listed, "c"] * 10, COMMAND)
        assert "on 10 of 20 rows, and each was taken for one label" in question


@pytest.mark.parametrize(("one", "other"), [
    ("Spam", "spam"), ("spam", "spam "), ("big  dog", "big dog"), ("café", "cafe\u0301"), ("1", "1.0"), ("ß", "SS"),
])
def test_labels_that_differ_only_in_how_they_are_written_are_named(one, other):
    [question] = questions_of_labels([one, other] * 10, COMMAND)
    assert "are different labels" in question


def test_labels_that_differ_only_in_how_they_are_written_are_never_merged():
    one, other = "Spam", "spam "
    with pytest.warns(TargetWarning, match="are different labels"):
        model = DocumentClassifier("bag-of-words", random_state=0).fit(["good", "bad"] * 10, [one, other] * 10)
    assert model.classes_.tolist() == [one, other]


@pytest.mark.parametrize("label", ["nan", "NaN", "<NA>", "NaT", "", "  "])
def test_a_missing_value_that_became_text_is_named(label):
    [question] = questions_of_labels(["a", "b", label] * 5, COMMAND)
    assert f"5 targets are {label!r}" in question


def test_python_is_told_by_a_warning_before_the_fit():
    texts = [f"text {i}" for i in range(20)]
    with pytest.warns(TargetWarning, match="holds dates such as") as caught:
        DocumentClassifier("bag-of-words", random_state=0).fit(texts, DATES[0])
    assert caught[0].filename == __file__
    with pytest.warns(TargetWarning, match="as an id has"):
        DocumentRegressor("bag-of-words", random_state=0).fit(texts, list(range(20)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DocumentClassifier("bag-of-words", random_state=0).fit(texts, ["a", "b"] * 10)


def test_the_command_asks_before_it_trains_and_before_it_compares(tmp_path, capsys):
    from scansion.cli.main import carry_out

    table = tmp_path / "t.csv"
    rows = [f"some longer text {i},{date},x\n" for i, date in enumerate(DATES[0])]
    table.write_text("text,made,mood\n" + "".join(rows))
    fit = ["fit", table, "--target", "made", "--family", "bag-of-words", "--out", tmp_path / "model"]
    assert carry_out([str(word) for word in fit]) == 0
    assert "Warning: The target 'made' holds dates such as '2024-01-01'" in capsys.readouterr().err
    assert carry_out(["compare", str(table), "--target", "made", "--folds", "99"]) == 2
    assert "(there are also 'mood')" in capsys.readouterr().err
