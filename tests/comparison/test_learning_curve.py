"""Score against labelled rows: what is drawn, what is said, and where one family overtakes another."""

import numpy as np
import pytest

from scansion.comparison.compare import compare
from scansion.comparison.learning_curve import curve_of, smaller_parts
from scansion.comparison.report_folder import markdown
from scansion.comparison.run import Outcome, Run
from scansion.errors import UsageError
from scansion.families.bag_of_words import BagOfWords
from scansion.tasks.document_scoring import DocumentScoring, compared_documents
from scansion.tasks.documents import CLASSIFY

pytestmark = pytest.mark.usefixtures("warm_processes")

TEXTS = [f"{'good' if i % 2 else 'bad'} w{i % 7} w{i % 13}" for i in range(600)]
LABELS = ["up" if i % 2 else "down" for i in range(600)]
RARE = ["rare" if i % 20 == 0 else "common" for i in range(600)]


def rows(labels):
    return compared_documents(TEXTS, labels, "classify", None, None, None, 0.5, 0)


def test_smaller_parts_are_nested_in_proportion_and_their_sizes_spaced_by_the_logarithm():
    data = rows(RARE)
    parts = smaller_parts(CLASSIFY.compared, data, seeds=3, random_state=0)
    sizes = [len(train) for train, _ in parts]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 5
    assert sizes[0] == 16
    ratios = np.array(sorted({*sizes, 300}))[1:] / np.array(sorted({*sizes, 300}))[:-1]
    assert ratios.max() / ratios.min() < 1.1
    whole = set(data.folds[0][0].tolist())
    for seed in range(3):
        mine = [set(train.tolist()) for train, _ in parts[seed::3]]
        assert all(small < large for small, large in zip(mine, [*mine[1:], whole], strict=True))
        rare = [sum(RARE[row] == "rare" for row in part) for part in mine]
        assert all(abs(count - len(part) / 20) <= 1 for count, part in zip(rare, mine, strict=True))
    assert parts[0][0].tolist() != parts[1][0].tolist()


def test_a_curve_has_every_family_at_every_size_and_the_table_stays_as_it_was():
    drawn = compare(TEXTS, LABELS, ["bag-of-words"], test_share=0.5, seeds=1, random_state=0, learning_curve=True)
    assert {row.family for row in drawn.rows} == {"majority", "bag-of-words"}
    assert {row.seeds for row in drawn.rows} == {1}
    points = drawn.learning_curve.points
    sizes = sorted({point.rows for point in points})
    assert len(sizes) == 6
    assert sizes[-1] == drawn.train_rows
    assert {point.family for point in points} == {"majority", "bag-of-words"}
    assert all(point.low <= point.score <= point.high for point in points)
    page = markdown(drawn.report())
    assert "## Learning curve" in page
    assert "| bag-of-words | " in page
    assert [row.score for row in drawn.rows] == [
        next(point.score for point in points if (point.family, point.rows) == (row.family, sizes[-1]))
        for row in drawn.rows
    ]


def test_a_family_that_is_worse_with_few_rows_and_better_with_many_overtakes():
    data = rows(LABELS)
    parts = smaller_parts(CLASSIFY.compared, data, seeds=1, random_state=0)
    test = data.folds[0][1]
    right = [LABELS[row] for row in test]
    wrong = [label if i % 4 else LABELS[1 - LABELS.index(label) % 2] for i, label in enumerate(right)]
    scoring = DocumentScoring(data)

    def outcome(label, part, answers):
        return Outcome(Run(label, BagOfWords(), 0, 1 + part, "classify", None), answers, {})

    outcomes = [outcome("steady", part, wrong) for part in range(len(parts))]
    outcomes += [outcome("hungry", part, ["up"] * len(right)) for part in range(len(parts))]
    whole = {"steady": [scoring.prediction(wrong)], "hungry": [scoring.prediction(right)]}
    curve = curve_of(scoring, data, parts, outcomes, whole)
    (found,) = curve.overtakings
    assert (found.family, found.overtaken) == ("hungry", "steady")
    assert (found.after, found.by) == (len(parts[-1][0]), 300)
    assert found.before[2] < 0 < found.then[1]
    assert not curve_of(scoring, data, [], outcomes, whole).points


def test_what_a_curve_cannot_be_drawn_of_is_refused():
    with pytest.raises(UsageError, match="takes one test set"):
        compare(TEXTS, LABELS, ["bag-of-words"], folds=2, learning_curve=True)
    with pytest.raises(UsageError, match="begins with 16 rows and needs twice as many; got 20"):
        compare(TEXTS[:40], LABELS[:40], ["bag-of-words"], test_share=0.5, learning_curve=True)
