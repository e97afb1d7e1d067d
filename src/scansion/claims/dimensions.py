"""One dimension a word, almost all zero; n-grams have V^N.

    n-grams that can be written with V words:  V^N;      those that a text has:  at most its words
    distinct words of n words of text:  K n^b            (Heaps 1978; b of 0.4 to 0.8 for English)

On the shipped film reviews; the vectors are those of the family n-grams without character n-grams, one order each.
"""

from collections.abc import Generator

import numpy as np

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Measurement, exact, share_of
from scansion.claims.reviews import reviews
from scansion.families.ngrams import NGrams
from scansion.tasks.classifier import DocumentClassifier
from scansion.viewer.charts import Point
from scansion.viewer.number_format import figure_shown

ORDERS = (1, 2, 3, 4, 5)
PARTS = 12


def distinct(texts: list[list[str]], order: int) -> set[tuple[str, ...]]:
    """The n-grams of this order."""
    return {tuple(words[i : i + order]) for words in texts for i in range(len(words) - order + 1)}


def growth(texts: list[list[str]], order: int) -> tuple[Curve, float]:
    """Distinct n-grams against words read, and the exponent of that over the upper half."""
    points = []
    for share in np.geomspace(0.02, 1, PARTS):
        some = texts[: max(1, round(share * len(texts)))]
        points.append(Point(float(sum(map(len, some))), float(len(distinct(some, order)))))
    upper = np.log([(point.x, point.y) for point in points[PARTS // 2 :]])
    return Curve(f"N = {order}", tuple(points)), float(np.polyfit(upper[:, 0], upper[:, 1], 1)[0])


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Counts of all training reviews, and what the dimensions are worth for the label."""
    train, test = reviews()
    rows = budget.of(len(train))
    words, answers = [text.split() for text in train.texts[:rows]], np.array(test.labels)
    held = [text.split() for text in test.texts]
    vocabulary = len(distinct(words, 1))
    figures, curves, seen, scores = [exact("V, distinct words", vocabulary, "words")], [], [], []
    for order in ORDERS:
        yield f"N = {order}"
        known = distinct(words, order)
        curve, exponent = growth(words, order)
        curves.append(curve)
        seen.append(Point(order, len(known)))
        new = [gram not in known for each in held for gram in zip(*(each[i:] for i in range(order)), strict=False)]
        model = DocumentClassifier(NGrams(order, 1, False, "none"), processes=1, random_state=seed)
        model.fit(train.texts[:rows], train.labels[:rows])
        right = model.predict(test.texts) == answers
        here = sum(len(set(zip(*(each[i:] for i in range(order)), strict=False))) for each in words)
        figures += [
            exact(f"N = {order}: dimensions seen", len(known), "", figure_shown(float(vocabulary**order), "")),
            exact(f"N = {order}: zeros in a vector", 1 - here / len(words) / len(known), "%", "almost all"),
            exact(f"N = {order}: of the test reviews’ n-grams, never seen", float(np.mean(new)), "%"),
            exact(f"N = {order}: exponent of growth", exponent, "", "0.4 to 0.8 for words (Heaps)"),
            share_of(f"N = {order}: accuracy, all orders up to it", [right]),
        ]
        scores.append(Point(order, figures[-1].value, figures[-1].low, figures[-1].high))
    written = tuple(Point(order, float(vocabulary) ** order) for order in ORDERS)
    return Measurement(
        f"{vocabulary:,} words could make {figure_shown(vocabulary**2, '')} pairs and "
        f"{figure_shown(vocabulary**5, '')} sequences of five; "
        f"{sum(map(len, words)):,} words of reviews have {seen[1].y:,.0f} and {seen[4].y:,.0f}. What grows with N is "
        "bounded by the text, not by V^N, and the longer an n-gram the less often it is met again.",
        tuple(figures),
        (
            Chart("Dimensions", "V^N is out of reach; what a text has levels off at its own length.", "N",
                  "dimensions", (Curve("seen", tuple(seen)), Curve("V^N", written, True)), logarithmic_up=True),
            Chart("Growth with text", "No curve levels off: every further review brings new dimensions.", "words read",
                  "distinct n-grams", tuple(curves), logarithmic_across=True, logarithmic_up=True),
            Chart("What they buy", "Accuracy with all orders up to N: longer n-grams hardly add to words.", "N",
                  "accuracy", (Curve("n-grams", tuple(scores)),), "%"),
        ),
    )


CLAIM = Claim(
    "dimensions", "A bag of words has one dimension a word, almost all zero; n-grams have V^N.",
    "Zipf 1935; Heaps 1978; Brants et al. 2007",
    "V^N n-grams can be written, but a text of n words has at most n; nearly all that it has are met once.",
    (
        Condition("N = 1: zeros in a vector", least=0.99),
        Condition("N = 2: zeros in a vector", least=0.99),
        Condition("N = 2: of the test reviews’ n-grams, never seen", least=0.2),
        Condition("N = 5: exponent of growth", least=0.9, core=False),
    ),
    experiment,
)
