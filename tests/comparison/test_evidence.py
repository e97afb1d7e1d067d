"""What stands behind a score: it adds up to it, and every text, answer and probability is the one it claims to be."""

import numpy as np
import pytest

from reports import made_up, texts_of
from scansion import DocumentClassifier
from scansion.comparison.compare import compare
from scansion.measures.calibration import calibration_of
from scansion.measures.disagreements import MOST_CHARACTERS
from scansion.measures.evidence import Evidence
from scansion.measures.scores import accuracy
from scansion.tasks.task import ComparedData
from scansion.tasks.translation import BASELINE, TranslationScoring

pytestmark = pytest.mark.usefixtures("warm_processes")

READ, WANTED = ["eins", "zwei", "drei " * 4_000], ["one", "two", "three " * 4_000]


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


def evidence_of_translations(answers: dict[str, list[str]]) -> Evidence:
    """Of translations of the last three of eight pairs, beside the copy that is the baseline."""
    data = ComparedData(["0"] * 5 + READ, ["0"] * 5 + WANTED, [(np.arange(5), np.arange(5, 8))], "the split given")
    scoring = TranslationScoring(data)
    found = {label: scoring.prediction(mine) for label, mine in {BASELINE: READ, **answers}.items()}
    return scoring.evidence(found, {}, BASELINE)


def test_translations_that_differ_most_are_shown_and_long_ones_cut():
    found = evidence_of_translations({"rnn": ["one", "six", WANTED[2]], "lstm": WANTED})
    (only,) = found.disagreements
    assert (only.row, only.text, only.truth) == (6, "zwei", "two")
    assert [given.answer for given in only.answers] == ["six", "two"]
    assert only.answers[1].chrf == 1
    cut = evidence_of_translations({"rnn": ["one", "two", "x"], "lstm": WANTED})
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
