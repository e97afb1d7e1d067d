"""Targets as people give them: what labels are, what is missing, what is refused before anything makes text of it."""

import datetime
import enum

import numpy as np
import pandas
import pytest

import scansion
from scansion.errors import DataError, UsageError
from scansion.tasks.targets import equal_to, label_set_matrix, label_sets_from, labels_from, numbers_from

NAN = float("nan")
AB = ["b", "a", "b"]


class Sentiment(enum.StrEnum):
    GOOD, BAD = "good", "bad"


LABELS = {
    "text": (AB, ("a", "b")),
    "whole numbers": ([3, 1, 3], (1, 3)),
    "whole numbers too large for an array": ([10**30, 1, 1], (1, 10**30)),
    "booleans": ([True, False, True], (False, True)),
    "whole numbers with a point": ([2.0, 1.0, 2.0], (1.0, 2.0)),
    "numpy's text among text": ([np.str_("b"), "a", "b"], ("a", "b")),
    "numpy's numbers among numbers": ([np.int64(3), 1, 3], (1, 3)),
    "members of an enumeration of text": ([Sentiment.GOOD, "bad", "good"], ("bad", "good")),
    "an array of objects": (np.array(AB, object), ("a", "b")),
    "a column": (pandas.Series(AB), ("a", "b")),
    "a column of pandas's text": (pandas.Series(AB, dtype="string"), ("a", "b")),
    "a column of whole numbers that may be missing": (pandas.Series([3, 1, 3], dtype="Int64"), (1, 3)),
    "a column of booleans that may be missing": (pandas.Series([True, False, True], dtype="boolean"), (False, True)),
    "categories": (pandas.Series(AB, dtype="category"), ("a", "b")),
    "labels that differ in a trailing zero character": (["a\0", "a", "a\0"], ("a", "a\0")),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_the_values_that_were_given(name):
    targets, expected = LABELS[name]
    labels, numbers = labels_from(targets)
    assert labels == expected
    assert [type(label) for label in labels] == [type(label) for label in expected]
    assert [labels[number] for number in numbers] == list(targets)


MIXED = {
    "a number and text": ([1, "neg"], "whole numbers ('1' at position 0) and text ('neg' at position 1)"),
    "booleans and whole numbers": ([True, 1], "booleans ('True' at position 0) and whole numbers"),
    "whole numbers and numbers with a point": ([1, 2.0], "whole numbers ('1' at position 0) and numbers with a point"),
    "an array of objects": (np.array(["a", 1], object), "text ('a' at position 0) and whole numbers"),
    "a column": (pandas.Series([1, "a"]), "whole numbers ('1' at position 0) and text"),
    "labels of one document": ([(1, "a"), (1,)], "whole numbers ('1' at position 0) and text ('a' at position 0)"),
    "labels of two documents": ([{"a"}, {2}], "text ('a' at position 0) and whole numbers ('2' at position 1)"),
}


@pytest.mark.parametrize("name", MIXED)
def test_labels_of_several_kinds_are_refused_before_anything_makes_text_of_them(name):
    targets, fragment = MIXED[name]
    with pytest.raises(DataError) as caught:
        scansion.DocumentClassifier("bag-of-words").fit(["good film", "bad film"], targets)
    assert fragment in str(caught.value)


@pytest.mark.parametrize("hole", [None, NAN, np.float32("nan"), pandas.NA, pandas.NaT, np.datetime64("NaT")], ids=repr)
@pytest.mark.parametrize("rest", [["a", "b"], [1, 2], [True, False], [("a",), ("b",)]], ids=repr)
def test_what_is_missing_is_no_label_whatever_it_is_called(hole, rest):
    with pytest.raises(DataError, match="The target at position 1 is missing"):
        label_sets_from([rest[0], hole, rest[1]]) or labels_from([rest[0], hole, rest[1]])
    with pytest.raises(DataError, match="The target at position 1 is missing"):
        numbers_from([1.5, hole, 2])


@pytest.mark.parametrize("dtype", ["string", "category", "object"])
def test_what_is_missing_in_a_column_is_no_label(dtype):
    with pytest.raises(DataError, match="position 1 is missing"):
        labels_from(pandas.Series(["a", None, "b"], dtype=dtype))


def test_a_label_missing_within_a_set_is_refused():
    with pytest.raises(DataError, match="position 1 is missing"):
        label_sets_from([("a",), ("b", NAN)])


DATES = {
    "an array": np.array(["2024-01-01", "2024-01-02"], "datetime64[ns]"),
    "a column": pandas.Series(pandas.date_range("2024-01-01", periods=2)),
    "a list of numpy's": [np.datetime64("2024-01-01", "ns")] * 2,
    "a list": [datetime.date(2024, 1, 1)] * 2,
}


@pytest.mark.parametrize("name", DATES)
def test_dates_are_neither_labels_nor_numbers(name):
    for read in (labels_from, numbers_from):
        with pytest.raises(DataError, match=r"dates or times|Labels are text|Expected numbers as targets"):
            read(DATES[name])


def test_sets_of_labels_may_be_any_collection_of_them():
    expected = [[1, 0], [1, 1]]
    for targets in (
        [("a",), ("b", "a")], [["a"], ["a", "b"]], [{"a"}, frozenset("ab")], [np.array(["a"]), np.array(["a", "b"])],
        pandas.Series([["a"], ["b", "a"]]),
    ):
        labels, matrix = label_sets_from(targets)
        assert (labels, matrix.tolist()) == (("a", "b"), expected)


def test_one_label_among_sets_is_refused_and_never_read_letter_by_letter():
    with pytest.raises(DataError, match=r"position 1 is 'ab' and others are lists of labels"):
        label_sets_from([("a",), "ab"])
    with pytest.raises(DataError, match="position 0 is 'ab' and others are lists"):
        label_set_matrix(["ab"], ("a", "b"))


def test_rows_of_0_and_1_in_lists_are_no_sets_of_labels():
    for rows in ([[0, 1, 0], [1, 0, 0]], [[0, 1], [1, 0]]):
        with pytest.raises(UsageError, match=r"numpy\.array\(targets\)"):
            label_sets_from(rows)
        assert label_sets_from(np.array(rows))[0] == tuple(range(len(rows[0])))


def test_a_score_refuses_targets_that_can_be_no_answer():
    answers = np.array(["1", "2"])
    assert equal_to(answers, pandas.Series(["1", "1"])).tolist() == [True, False]
    with pytest.raises(DataError, match="none can match"):
        equal_to(answers, [1, 2])
    with pytest.raises(DataError, match="is missing"):
        equal_to(answers, ["1", None])
    assert equal_to(np.array([1, 2]), [1.0, 3.0]).tolist() == [True, False]


def test_a_comparison_names_what_is_missing_and_what_is_mixed():
    texts = [f"text {i}" for i in range(20)]
    with pytest.raises(DataError, match="position 1 is missing"):
        scansion.compare(texts, ["a", NAN, "b", "a"] * 5, ["bag-of-words"])
    with pytest.raises(DataError, match="Labels must be of one kind"):
        scansion.compare(texts, ["a", 1] * 10, ["bag-of-words"])
    with pytest.raises(DataError, match="Labels must be of one kind"):
        scansion.compare(texts, [("a", 1)] * 20, ["bag-of-words"])


def test_measures_do_not_make_text_of_numbers_either():
    with pytest.raises(UsageError, match="a mixture"):
        scansion.measures.scores.accuracy([1, "a"], ["1", "a"])


@pytest.mark.parametrize("large", [1e300, -1.7e308, 10**400, -(10**400), 2e100])
def test_a_target_that_squares_could_not_hold_is_named_with_its_position_and_the_bound(large):
    numbers = [0.5, 1.5, large, 2.5]
    with pytest.raises(DataError, match=r"The target at position 2 is .* expected numbers of at most 1e\+100 in size"):
        numbers_from(numbers)
    assert numbers_from([0.5, 1e100, -1e100]).tolist() == [0.5, 1e100, -1e100]
