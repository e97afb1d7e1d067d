"""What stands behind a score, against the formulas: confusion, calibration, shared errors, disagreements, length."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from reports import made_up, texts_of
from scansion import DocumentClassifier
from scansion.measures.calibration import calibration_of
from scansion.comparison.compare import compare
from scansion.measures.confusion import confusion_of, found_labels
from scansion.measures.disagreements import MOST_CHARACTERS, most_split, widest
from scansion.comparison.evidence import evidence_of_translations
from scansion.measures.shared_errors import shared_errors_of
from scansion.measures.length_slices import slices_of
from scansion.measures.intervals import wilson
from scansion.measures.scores import accuracy, expected_calibration_error

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 4, 300)
ANSWERS = {
    name: np.where(RANDOM.random(300) < 0.7, TRUTH, RANDOM.integers(0, 4, 300)) for name in ("lstm", "rnn", "bag")
}
SETS = RANDOM.integers(0, 2, (300, 5))
FOUND = np.where(RANDOM.random((300, 5)) < 0.8, SETS, 1 - SETS)


def test_the_cells_of_a_confusion_are_scikit_learns_matrix():
    found = confusion_of("abcd", TRUTH, ANSWERS)
    for family, answers in ANSWERS.items():
        matrix = np.zeros((4, 4), int)
        for truth, answer, rows in found.cells[family]:
            assert rows > 0
            matrix[truth, answer] = rows
        assert (matrix == confusion_matrix(TRUTH, answers)).all()


def test_the_f1_of_each_label_is_scikit_learns_and_null_where_there_is_none():
    found = found_labels("abcde", SETS, {"lstm": FOUND})
    assert [each.f1["lstm"] for each in found] == pytest.approx(f1_score(SETS, FOUND, average=None))
    assert [each.rows for each in found] == SETS.sum(axis=0).tolist()
    nothing = found_labels("a", np.zeros((3, 1), int), {"lstm": np.zeros((3, 1), int)})
    assert nothing[0].f1 == {"lstm": None}


def test_calibration_is_the_formula_written_out():
    probabilities = RANDOM.dirichlet(np.ones(4) / 2, 300)
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    found = calibration_of("multiclass", TRUTH, answers, sure)
    assert found.error == pytest.approx(expected_calibration_error(TRUTH, probabilities))
    assert sum(each.count for each in found.bins) == 300
    for each in found.bins:
        mine = (sure > each.begin) & (sure <= each.end)
        assert each.end - each.begin == pytest.approx(1 / 15)
        assert each.count == mine.sum()
        assert each.predicted == pytest.approx(sure[mine].mean())
        assert each.true == pytest.approx((answers == TRUTH)[mine].mean())
        assert (each.low, each.high) == pytest.approx(wilson((answers == TRUTH)[mine].sum(), mine.sum()))
    assert calibration_of("multiclass", TRUTH, answers, None) is None


def test_of_several_labels_the_probability_of_a_label_stands_beside_how_many_have_it():
    found = calibration_of("multilabel", SETS, FOUND, np.full((300, 5), 0.5))
    (only,) = found.bins
    assert (only.count, only.predicted, only.true) == (1_500, 0.5, pytest.approx(SETS.mean()))
    assert found.error == pytest.approx(abs(0.5 - SETS.mean()))


def test_numbers_are_calibrated_in_tenths_and_a_constant_is_one_bin():
    truth = RANDOM.normal(size=200)
    found = calibration_of("regression", truth, truth + 1, None)
    assert [each.count for each in found.bins] == [20] * 10
    assert found.error == pytest.approx(1)
    assert all(each.low < each.true < each.high for each in found.bins)
    (only,) = calibration_of("regression", truth, np.full(200, 3.0), None).bins
    assert (only.predicted, only.true) == (3, pytest.approx(truth.mean()))
    one = calibration_of("regression", truth[:1], truth[:1], None)
    assert (one.bins[0].low, one.bins[0].high) == (None, None)


def test_shared_errors_are_the_overlap_of_the_sets_of_wrong_rows():
    found = shared_errors_of("multiclass", TRUTH, ANSWERS)
    wrong = [set(np.flatnonzero(answers != TRUTH).tolist()) for answers in ANSWERS.values()]
    for i, one in enumerate(wrong):
        assert found.wrong[i] == len(one)
        for j, other in enumerate(wrong):
            assert found.both[i][j] == len(one & other)
            assert found.values[i][j] == pytest.approx(len(one & other) / len(one | other))
    assert found.all_wrong == len(set.intersection(*wrong))
    assert found.all_right == 300 - len(set.union(*wrong))
    assert shared_errors_of("multiclass", TRUTH, {"a": TRUTH, "b": TRUTH}).values == ((None, None), (None, None))


def test_errors_of_numbers_are_correlated_and_a_constant_error_has_no_correlation():
    truth, noise = RANDOM.normal(size=(2, 100))
    answers = {"a": truth + noise, "b": truth - noise + RANDOM.normal(size=100), "c": truth + 2}
    found = shared_errors_of("regression", truth, answers)
    assert found.values[0][1] == pytest.approx(np.corrcoef(answers["a"] - truth, answers["b"] - truth)[0, 1])
    assert found.values[0][2] is None
    assert found.wrong == ()


def test_rows_are_chosen_most_evenly_split_first_and_among_equals_the_surest():
    answers = {
        "a": np.array([0, 0, 0, 0, 1]), "b": np.array([0, 1, 0, 1, 1]), "c": np.array([0, 1, 1, 2, 1]),
        "d": np.array([0, 0, 0, 3, 0]),
    }
    sure = {"a": np.array([0.9, 0.5, 0.6, 0.1, 0.8])}
    assert most_split("multiclass", answers, sure) == [3, 1, 4, 2]
    assert most_split("multiclass", {"a": answers["a"]}, sure) == []
    sets = {name: np.eye(4, dtype=int)[mine] for name, mine in answers.items()}
    assert most_split("multilabel", sets, {}) == [3, 1, 2, 4]
    assert widest(np.array([[0.0, 1, 5], [0, 2, 1]])) == [2, 1]


def test_slices_are_quarters_of_the_tested_texts_by_words():
    texts = ["w " * (i % 40 + 1) for i in range(400)]
    tested = np.arange(0, 400, 3)
    numbers = slices_of(texts, tested)
    lengths = np.array([len(texts[i].split()) for i in tested])
    for number in range(3):
        assert lengths[numbers[tested] == number].max() < lengths[numbers[tested] == number + 1].min()
    assert np.bincount(numbers[tested]).max() < 0.3 * len(tested)
    assert set(slices_of(["a", "a b", "a b c"], np.arange(3)).tolist()) == {0}


@pytest.mark.parametrize("folds", [None, 4])
def test_what_stands_behind_a_score_adds_up_to_it(folds):
    targets = ["up" if i * i % 7 % 2 else "down" for i in range(120)]
    report = made_up(texts_of(120), targets, folds).report()
    scores = {row["family"]: row["scores_by_seed"][0] for row in report["rows"]}
    for family, cells in report["confusion"]["cells"].items():
        assert sum(rows for _, _, rows in cells) == report["test_rows"]
        right = sum(rows for truth, answer, rows in cells if truth == answer)
        assert right / report["test_rows"] == pytest.approx(scores[family])
        bins = report["calibration"][family]["bins"]
        assert sum(each["count"] * each["true"] for each in bins) == pytest.approx(right)
    shared = report["shared_errors"]
    assert report["baseline"] not in shared["families"]
    for family, wrong in zip(shared["families"], shared["wrong"], strict=True):
        assert 1 - wrong / report["test_rows"] == pytest.approx(scores[family])
    for row in report["rows"]:
        parts = report["by_length"]
        whole = sum(part["rows"] * part["scores"][row["family"]] for part in parts) / report["test_rows"]
        assert whole == pytest.approx(row["score"])
        for part in parts:
            low, high = part["intervals"][row["family"]]
            assert low <= part["scores"][row["family"]] <= high


def test_disagreements_are_the_rows_they_say_they_are():
    texts, targets = texts_of(120), ["up" if i * i % 7 % 2 else "down" for i in range(120)]
    for each in made_up(texts, targets).report()["disagreements"]:
        assert each["text"] == texts[each["row"]]
        assert each["truth"] == targets[each["row"]]
        assert len({given["answer"] for given in each["answers"]}) > 1
        assert all(given["right"] == (given["answer"] == each["truth"]) for given in each["answers"])
        assert all(0.5 <= given["probability"] <= 1 for given in each["answers"])


def test_translations_that_differ_most_are_shown_and_long_ones_cut():
    read, wanted = ["eins", "zwei", "drei " * 4_000], ["one", "two", "three " * 4_000]
    found = evidence_of_translations(read, wanted, [5, 6, 7], {"rnn": ["one", "six", wanted[2]], "lstm": wanted})
    (only,) = found.disagreements
    assert (only.row, only.text, only.truth) == (6, "zwei", "two")
    assert [given.answer for given in only.answers] == ["six", "two"]
    assert only.answers[1].chrf == 1
    cut = evidence_of_translations(read, wanted, [5, 6, 7], {"rnn": ["one", "two", "x"], "lstm": wanted})
    assert (len(cut.disagreements[0].text), cut.disagreements[0].characters) == (MOST_CHARACTERS, 20_000)


def test_workers_send_the_probabilities_of_their_answers_and_the_time_of_each_length():
    texts = [f"{'good' if i % 2 else 'bad'} w{i % 7}" + " more" * (i % 29) for i in range(200)]
    labels = ["up" if i % 2 or i % 11 == 0 else "down" for i in range(200)]
    found = compare(texts[:120], labels[:120], ["bag-of-words"], test=(texts[120:], labels[120:]), random_state=0)
    model = DocumentClassifier("bag-of-words", random_state=0).fit(texts[:120], labels[:120])
    sure = model.predict_proba(texts[120:]).max(axis=1)
    answers = model.predict(texts[120:])
    wanted = calibration_of("multiclass", np.array(labels[120:]), answers, sure)
    assert found.evidence.calibration["bag-of-words"].error == pytest.approx(wanted.error, abs=1e-6)
    assert accuracy(labels[120:], answers) == found.rows[0].score
    assert len(found.by_length) == 4
    assert all(part.milliseconds[label] > 0 for part in found.by_length for label in ("bag-of-words", "majority"))


def test_a_label_that_only_test_rows_have_is_one_that_nobody_finds():
    texts = [f"{'good' if i % 2 else 'bad'} w{i % 7}" for i in range(60)]
    sets = [("b",) if i % 2 else ("c", "d") for i in range(40)] + [("a", "b") if i % 2 else ("d",) for i in range(20)]
    found = compare(texts[:40], sets[:40], ["bag-of-words"], test=(texts[40:], sets[40:]))
    assert not found.failed
    assert [each.label for each in found.evidence.labels_found] == ["a", "b", "c", "d"]
    assert found.evidence.labels_found[0].f1["bag-of-words"] == 0
    counts = {label: sum(each.count for each in bins.bins) for label, bins in found.evidence.calibration.items()}
    assert counts == {"majority": 80, "bag-of-words": 80}
