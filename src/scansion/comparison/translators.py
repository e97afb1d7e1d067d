"""``scansion.compare`` for translators: every family that writes, on the same pairs, judged by BLEU."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.conclusion import ranked, row_of, unfinished
from scansion.comparison.evidence import evidence_of_translations
from scansion.comparison.lengths import by_length
from scansion.comparison.result import Comparison, Row
from scansion.comparison.runs import Doing, Outcome, Run, carry_out
from scansion.errors import DataError, UsageError
from scansion.families.catalogue import WRITERS, WritingFamily, labelled, writer_from
from scansion.learning.budget import seconds_of
from scansion.measures.paired import all_pairs
from scansion.measures.translation import (
    bleu_counts,
    bleu_of,
    chrf_counts,
    chrf_of,
    interval_over_seeds,
    paired_bootstrap,
)
from scansion.randomness import stream
from scansion.storage.fingerprints import fingerprint_of
from scansion.storage.manifest import library_versions
from scansion.text.documents import check_documents

BASELINE = "copy"
"""What a program scores that translates nothing."""
FEWEST_TEST_PAIRS = 2


def comparing_translators(
    sources: Iterable[str], targets: Iterable[str], families: Sequence[str | WritingFamily] | None,
    test: tuple[Iterable[str], Iterable[str]] | None, test_share: float, seeds: int, budget: float | str | None,
    processes: int | None, random_state: int,
) -> Iterator[Doing | Outcome | Comparison]:
    """What happens, and at last the :class:`Comparison`; interrupted, that of what was finished."""
    begun = time.monotonic()
    chosen = _families(families)
    sources, targets = list(check_documents(sources)), list(check_documents(targets))
    if len(sources) != len(targets):
        raise UsageError(f"There are {len(sources):,} sources and {len(targets):,} targets; give one of each a row.")
    rows = np.arange(len(sources))
    if test is None:
        if not 0 < test_share < 1:
            raise UsageError(f"test_share must lie between 0 and 1; got {test_share}.")
        held = np.sort(stream(random_state, "test pairs").permutation(len(rows))[: round(test_share * len(rows))])
        train, split = np.setdiff1d(rows, held), f"a random {test_share:.0%} as test pairs"
    else:
        sources, targets = sources + list(check_documents(test[0])), targets + list(check_documents(test[1]))
        train, held, split = rows, np.arange(len(rows), len(sources)), "the test set given"
    if len(sources) != len(targets) or len(held) < FEWEST_TEST_PAIRS or len(train) < FEWEST_TEST_PAIRS:
        raise DataError(f"There are too few pairs to compare on: {len(train):,} for training, {len(held):,} to test.")
    runs = [
        Run(label, family, random_state + seed, 0, "translate", None, processes)
        for label, family in chosen.items() for seed in range(seeds)
    ]
    outcomes, interrupted = yield from carry_out(
        runs, begun + seconds_of(budget), sources, targets, [(train, held)]
    )
    read, wanted = [sources[i] for i in held], [targets[i] for i in held]
    facts = _facts(sources, targets, train) | {
        "split": split, "seeds": seeds, "random_state": random_state, "budget": budget
    }
    seen = {sources[i] for i in train}
    yield _conclude(
        chosen, runs, outcomes, read, wanted, held, len(train), sum(text in seen for text in read), facts, interrupted
    )
    if interrupted:
        raise KeyboardInterrupt


def _families(families: Sequence[str | WritingFamily] | None) -> dict[str, WritingFamily]:
    if families is None:
        return {name: kind() for name, kind in WRITERS.items()}
    given = [families] if isinstance(families, str) else families
    return labelled(writer_from(each) for each in given)


def _conclude(
    chosen: Mapping[str, WritingFamily], runs: Sequence[Run], outcomes: Sequence[Outcome], read: list[str],
    wanted: list[str], positions: NDArray, trained: int, duplicates: int, facts: dict[str, Any], interrupted: bool,
) -> Comparison:
    counts: dict[str, list[NDArray]] = {BASELINE: [bleu_counts(read, wanted)]}
    firsts: dict[str, list[str]] = {}
    rows = [_copied(read, wanted, counts[BASELINE])]
    for label in chosen:
        mine = [outcome for outcome in outcomes if outcome.run.label == label]
        if failed := unfinished(label, mine, runs):
            rows.append(failed)
            continue
        firsts[label] = mine[0].answers
        counts[label] = [bleu_counts(outcome.answers, wanted) for outcome in mine]
        by_seed = [_measures(outcome.answers, wanted) for outcome in mine]
        rows.append(row_of(label, interval_over_seeds(counts[label], bleu_of), "bleu", by_seed, mine))
    pairs, adjusted = all_pairs(list(counts), lambda a, b: paired_bootstrap(counts[a], counts[b], bleu_of))
    ordered, verdict = ranked(rows, chosen, pairs, adjusted, "bleu", len(wanted), BASELINE)
    answers = {row.family: firsts[row.family] for row in ordered if row.family in firsts}
    return Comparison(
        "translate", "bleu", ordered, verdict, pairs, adjusted, tuple(counts), trained, len(wanted), duplicates, facts,
        library_versions(), interrupted,
        by_length(
            read, list(counts), lambda label, mine: interval_over_seeds([c[mine] for c in counts[label]], bleu_of),
            outcomes,
        ),
        evidence=evidence_of_translations(read, wanted, positions, answers),
    )


def _copied(read: list[str], wanted: list[str], counts: list[NDArray]) -> Row:
    """The row of the baseline, which needs no training."""
    interval, measures = interval_over_seeds(counts, bleu_of), _measures(read, wanted)
    return Row(
        BASELINE, "ok", "", interval.score, interval.low, interval.high, None, 1, fit_seconds=0.0, size_bytes=0,
        peak_memory_bytes=0, tokens_read_share=1.0, sampling_error=interval.sampling_error, seed_error=0.0,
        scores_by_seed=(measures["bleu"],), measures=measures, parameters=0,
    )


def _measures(found: list[str], wanted: list[str]) -> dict[str, float]:
    return {
        "bleu": float(bleu_of(bleu_counts(found, wanted).sum(axis=0))) / 100,
        "chrf": float(chrf_of(chrf_counts(found, wanted).sum(axis=0))) / 100,
    }


def _facts(sources: list[str], targets: list[str], train: np.ndarray) -> dict[str, Any]:
    """What is worth knowing of the pairs before believing any score."""
    lengths = np.array([len(text.split()) for text in sources])
    middle, most, longest = np.quantile(lengths, [0.5, 0.95, 1.0]).astype(int).tolist()
    return {
        "rows": len(sources), "words_median": middle, "words_95_percent": most, "words_longest": longest,
        "duplicates_inside_training": len(train) - len({(sources[i], targets[i]) for i in train}),
        "data_fingerprint": fingerprint_of(sources), "targets_fingerprint": fingerprint_of(targets),
    }
