"""Scores of translations: BLEU and chrF from counts a sentence, so that any set of sentences is scored by a sum.

    BLEU = min(1, e^(1 - r/h)) * (p_1 p_2 p_3 p_4)^(1/4),   p_n = matched n-grams / n-grams     (Papineni et al. 2002)
    chrF = (1 + b^2) P R / (b^2 P + R), b = 2, over 1- to 6-grams of letters                    (Popovic 2015)

h and r are the lengths of what was found and what was wanted.  Tokens and smoothing are sacreBLEU's (Post 2018), and so
are the scores and their signatures.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from scipy.special import ndtri, stdtr

from scansion.errors import UsageError
from scansion.measures.intervals import Interval, degrees_of_freedom, seed_variance
from scansion.measures.paired import PairedTest
from scansion.randomness import stream

WORD_ORDER, LETTER_ORDER, BETA = 4, 6, 2
DRAWS = 1_000
CONFIDENCE = 0.95

Score = Callable[[NDArray], NDArray]
"""Summed counts (..., C) -> scores from 0 to 100, (...)."""


@dataclass(frozen=True)
class TranslationScore:
    """A score from 0 to 100 with its 95 % bootstrap interval, and how it was computed."""

    score: float
    low: float
    high: float
    signature: str


def bleu_counts(found: Sequence[str], wanted: Sequence[str], tokenize: str = "13a") -> NDArray:
    """Per sentence: found length, wanted length, then matched and found n-grams for n = 1 .. 4; (N, 10).

    ``tokenize`` is one of sacreBLEU's: ``13a`` for plain text, ``none`` for text that is tokenised already.
    """
    _check(found, wanted)
    tokens = BLEU(tokenize=tokenize).tokenizer
    rows = np.zeros((len(found), 2 + 2 * WORD_ORDER), np.int64)
    for row, (mine, theirs) in enumerate(zip(found, wanted, strict=True)):
        words, truth = tokens(mine.rstrip()).split(), tokens(theirs.rstrip()).split()
        rows[row, :2] = len(words), len(truth)
        for n in range(1, WORD_ORDER + 1):
            rows[row, 2 * n : 2 * n + 2] = _matched(words, truth, n)[:2]
    return rows


def bleu_of(counts: NDArray) -> NDArray:
    """Scores from 0 to 100 of summed counts (..., 10), smoothed as sacreBLEU does (Chen and Cherry 2014, "exp")."""
    lengths, wanted = counts[..., 0].astype(float), counts[..., 1].astype(float)
    matched, there = counts[..., 2::2].astype(float), counts[..., 3::2].astype(float)
    halvings = np.cumsum((matched == 0) & (there > 0), axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(matched > 0, matched / there, 1 / (2.0**halvings * there))
        means = np.exp(np.log(shares).mean(axis=-1))
        brevity = np.where(lengths < wanted, np.exp(1 - wanted / lengths), 1.0)
        scores = brevity * means
    known = (matched[..., 0] > 0) & (there > 0).all(axis=-1)
    return 100 * np.where(known, scores, 0.0)


def chrf_counts(found: Sequence[str], wanted: Sequence[str]) -> NDArray:
    """Per sentence and n = 1 .. 6: matched, found and wanted n-grams of letters, blanks left out; (N, 18)."""
    _check(found, wanted)
    rows = np.zeros((len(found), 3 * LETTER_ORDER), np.int64)
    for row, (mine, theirs) in enumerate(zip(found, wanted, strict=True)):
        letters, truth = "".join(mine.split()), "".join(theirs.split())
        for n in range(1, LETTER_ORDER + 1):
            matched, mine_there, theirs_there = _matched(letters, truth, n)
            # as in the first implementation, what no reference could match is not held against the finder
            rows[row, 3 * n - 3 : 3 * n] = matched, mine_there if theirs_there else 0, theirs_there
    return rows


def chrf_of(counts: NDArray) -> NDArray:
    """Scores from 0 to 100 of summed counts (..., 18): precision and recall are means over the orders that exist."""
    matched, found, wanted = (counts[..., part::3].astype(float) for part in range(3))
    there = (found > 0) & (wanted > 0)
    orders = np.maximum(there.sum(axis=-1), 1)
    precision = np.divide(matched, found, where=there, out=np.zeros_like(matched)).sum(axis=-1) / orders
    recall = np.divide(matched, wanted, where=there, out=np.zeros_like(matched)).sum(axis=-1) / orders
    below = BETA**2 * precision + recall
    above = (1 + BETA**2) * precision * recall
    return 100 * np.divide(above, below, where=below > 0, out=np.zeros_like(above))


def bleu(found: Sequence[str], wanted: Sequence[str], tokenize: str = "13a", seed: int = 0) -> TranslationScore:
    """The corpus's BLEU."""
    signature = BLEU(tokenize=tokenize)
    signature.corpus_score(list(found[:1]), [list(wanted[:1])])  # a signature knows how many references there were
    return _with_interval(bleu_counts(found, wanted, tokenize), bleu_of, str(signature.get_signature()), seed)


def chrf(found: Sequence[str], wanted: Sequence[str], seed: int = 0) -> TranslationScore:
    """The corpus's chrF2."""
    signature = CHRF()
    signature.corpus_score(list(found[:1]), [list(wanted[:1])])
    return _with_interval(chrf_counts(found, wanted), chrf_of, str(signature.get_signature()), seed)


def interval_over_seeds(counts: Sequence[NDArray], score: Score, seed: int = 0) -> Interval:
    """The interval of a family's mean score as a share from 0 to 1; ``counts`` has an (N, C) for each training seed.

    Sentences by the bootstrap, the same ones for all seeds; seeds as in
    :func:`scansion.measures.intervals.interval_of`.
    """
    by_seed = np.stack([score(each.sum(axis=0)) / 100 for each in counts])
    drawn = np.mean([score(_drawn(each, seed)) / 100 for each in counts], axis=0)
    low, high = _widened(float(by_seed.mean()), drawn, _variance_of_seeds(by_seed))
    return Interval(
        float(by_seed.mean()), max(0.0, low), min(1.0, high), float(drawn.std(ddof=1)),
        _variance_of_seeds(by_seed) ** 0.5,
    )


def paired_bootstrap(
    first: Sequence[NDArray], second: Sequence[NDArray], score: Score, seed: int = 0
) -> PairedTest:
    """Two systems on the same sentences, a list of counts (N, C) each, one for each training seed (Koehn 2004).

    The difference is first less second, as a share from 0 to 1.  Its p value is the share of draws as far from their
    mean as the difference is from 0; with several seeds it comes from t over the bootstrap's variance and the seeds'.
    """
    ours, theirs = ([score(each.sum(axis=0)) / 100 for each in side] for side in (first, second))
    drawn = sum(
        sign * np.mean([score(_drawn(each, seed)) / 100 for each in side], axis=0)
        for sign, side in ((1, first), (-1, second))
    )
    difference = float(np.mean(ours) - np.mean(theirs))
    seeds = [(_variance_of_seeds(np.array(side)), len(side) - 1) for side in (ours, theirs)]
    variance, between = float(drawn.var(ddof=1)), sum(part for part, _ in seeds)
    freedom = degrees_of_freedom([(variance, len(first[0]) - 1), *seeds])
    low, high = _widened(difference, drawn, between)
    if between:
        method = "t over bootstrap and seeds"
        p_value = float(2 * stdtr(freedom, -abs(difference) / (variance + between) ** 0.5))
    else:
        method = "paired bootstrap"
        p_value = float((1 + (np.abs(drawn - drawn.mean()) >= abs(difference)).sum()) / (1 + len(drawn)))
    return PairedTest(difference, low, high, p_value, method, variance**0.5, between**0.5, freedom)


def _variance_of_seeds(scores: NDArray) -> float:
    """Of the mean of S seeds' scores, (S,)."""
    return seed_variance(scores[:, None])


def _widened(middle: float, drawn: NDArray, between: float) -> tuple[float, float]:
    """The percentile interval of the draws, each side widened by what the seeds vary."""
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    more = ndtri((1 + CONFIDENCE) / 2) * between**0.5
    return float(middle - np.hypot(middle - low, more)), float(middle + np.hypot(high - middle, more))


def _with_interval(
    counts: NDArray, score: Callable[[NDArray], NDArray], signature: str, seed: int
) -> TranslationScore:
    scores = score(_drawn(counts, seed))
    low, high = np.quantile(scores, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return TranslationScore(float(score(counts.sum(axis=0))), float(low), float(high), signature)


def _drawn(counts: NDArray, seed: int) -> NDArray:
    """Sums over as many sentences, drawn with replacement, ``DRAWS`` times: (DRAWS, C)."""
    random = stream(seed, "bootstrap of sentences")
    weights = random.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=DRAWS)
    return weights @ counts


def _matched(found: Sequence[str], wanted: Sequence[str], n: int) -> tuple[int, int, int]:
    """How many n-grams of ``found`` are wanted too, each as often as it is wanted; how many were found and wanted."""
    mine, theirs = (Counter(tuple(side[i : i + n]) for i in range(len(side) - n + 1)) for side in (found, wanted))
    return (mine & theirs).total(), mine.total(), theirs.total()


def _check(found: Sequence[str], wanted: Sequence[str]) -> None:
    if len(found) != len(wanted) or not len(found):
        raise UsageError(f"There are {len(found):,} translations and {len(wanted):,} references; give as many of each.")
