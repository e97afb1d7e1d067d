"""``scansion.compare``: every family on the same rows, splits and seeds, and what may be said of the outcome."""

import time
from collections.abc import Container, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.conclusion import (
    complete_seeds,
    ranked,
    result_of,
    unscored,
    with_first_rows,
    with_seeds,
    with_spent,
)
from scansion.comparison.early_dropping import EarlyDropping, first_parts
from scansion.comparison.learning_curve import curve_of, smaller_parts
from scansion.comparison.lengths import by_length
from scansion.comparison.result import NOT_TRAINED, Comparison, ComparisonInterrupted, FamilyResult
from scansion.comparison.run import Message, Outcome, Run, RunEvent
from scansion.comparison.runs import carry_out
from scansion.comparison.schedule import SOLVED
from scansion.comparison.standings import Standings
from scansion.errors import UsageError
from scansion.families.catalogue import DOCUMENT_FAMILIES, configured, labelled, name_of, pretrainable
from scansion.learning.budget import seconds_of
from scansion.learning.events import finished
from scansion.storage.manifest import library_versions
from scansion.tasks.catalogue import compared_task
from scansion.tasks.class_weights import ClassWeight, stored_class_weight
from scansion.tasks.sample_rows import OWN
from scansion.tasks.task import ComparedData, ComparedTask, Parts, Scoring, Task
from scansion.text.documents import check_documents
from scansion.text.frames import input_columns
from scansion.viewer.number_format import seconds_shown


def comparing(
    texts: Iterable[str],
    targets: Any = (),
    families: Any = None,
    *,
    task: str | None = None,
    test: tuple[Iterable[str], Any] | None = None,
    splits: Sequence[str] | None = None,
    folds: int | None = None,
    test_share: float = 0.2,
    seeds: int | None = None,
    budget: float | str | None = None,
    class_weight: ClassWeight = None,
    tokens: str | None = None,
    pretrain: str | None = None,
    unlabelled: Iterable[str] | None = None,
    processes: int | None = None,
    learning_curve: bool = False,
    thorough: bool = False,
    random_state: int = 0,
) -> Generator[RunEvent | Outcome | Message, None, Comparison]:
    """Train families on the same rows and say which one to use.

    ``families``: names or configurations, by default all that need nothing further; the baseline is always there.
    ``task``: ``classify``, ``regress``, ``translate`` or ``language``, which has no targets, else what they look like.
    The test rows are ``test`` if given, else those whose entry in ``splits`` is "test", else every row once in
    ``folds`` parts, else a random ``test_share``, labels in proportion; of a corpus the last.  ``seeds``: runs of each
    family that draws at random, three unless given; of translators, one.  ``budget`` bounds the whole comparison
    (``"5m"``): the cheapest family comes first, and one whose first epoch is not done by then has no score; of language
    models, whose ``tokens`` may be given, half a million of these are enough.  ``pretrain="own"`` adds a row for each
    family that can first learn from the training texts, and those ``unlabelled``, without answers.  What is
    significantly worse than the best after a first seed has no second one, and of 20,000 training rows or more, what
    learns by gradients is dropped where its curve cannot reach the best (:mod:`scansion.comparison.early_dropping`),
    unless ``thorough`` or with a budget or ``learning_curve``, which adds scores on fewer rows and who overtakes whom.
    ``scansion.compare`` returns the :class:`Comparison`; ``comparing`` is the same as a generator of what happens.
    KeyboardInterrupt ends the run under way; ComparisonInterrupted then holds the comparison of what was finished.
    UsageError and DataError for arguments and data that do not fit together.
    """
    begun, seconds = time.monotonic(), seconds_of(budget)
    targets = targets if hasattr(targets, "__len__") else list(targets)
    test = None if test is None else (test[0], list(test[1]))
    kind = compared_task(task, targets if test is None else [*targets, *test[1]])
    compared = _compared(kind)
    options = {"splits": splits, "folds": folds, "class_weight": class_weight, "tokens": tokens, "pretrain": pretrain,
               "unlabelled": unlabelled, "learning_curve": learning_curve or None}
    kind.check_options("compare", options)
    seeds, chosen = _at_least_one(compared.seeds if seeds is None else seeds), _families(kind, compared, families)
    data = compared.data(texts, targets, kind.name, test, splits, folds, test_share, random_state)
    compared.check(data, options)
    own = _pretrained_too(chosen, pretrain, unlabelled)
    baseline = compared.baseline(data)
    trained = {**({} if compared.baseline_family is None else {baseline: compared.baseline_family}), **chosen, **own}
    parts = smaller_parts(compared, data, seeds, random_state) if learning_curve else []
    arguments = kind.own({"class_weight": stored_class_weight(class_weight), "tokens": tokens})
    first = [] if learning_curve or thorough or np.isfinite(seconds) else first_parts(compared, data, random_state)
    plain = Run("", None, random_state, 0, kind.name, processes, arguments)
    runs = list(_runs(plain, trained, own, seeds, data.folds, parts, first))
    more = [] if unlabelled is None else list(check_documents(unlabelled, input_columns(texts, targets).text))
    standings = Standings(compared.scoring(data), len(data.folds), thorough)
    dropping = EarlyDropping(standings, baseline, len(data.folds[0][0]))
    outcomes, interrupted = yield from carry_out(runs, begun + seconds, data, dropping, baseline, parts + first, more)
    settings: dict[str, Any] = {"seeds": seeds, "random_state": random_state, "budget": budget, "thorough": thorough}
    of_documents = {"class_weight": None, **arguments, "pretrain": pretrain, "unlabelled": len(more)}
    settings |= of_documents if "pretrain" in kind.arguments else {}
    plan = Plan(kind, compared, data, trained, runs, baseline, parts, settings)
    comparison = _conclude(plan, outcomes, interrupted)
    comparison = yield from _timed(comparison, time.monotonic() - begun, seconds)
    if interrupted:
        raise ComparisonInterrupted(comparison)
    return comparison


compare = finished(comparing)


@dataclass(frozen=True, eq=False)
class Plan:
    """What was to be compared, and how."""

    task: Task
    compared: ComparedTask
    data: ComparedData
    families: Mapping[str, Any]
    runs: Sequence[Run]
    baseline: str
    parts: Parts
    settings: Mapping[str, Any]


def _timed(comparison: Comparison, took: float, budget: float) -> Generator[Message, None, Comparison]:
    if np.isinf(budget):
        return comparison
    beyond = f", {seconds_shown(took - budget)} beyond its budget" if took > budget else ""
    yield Message(f"The comparison took {seconds_shown(took)}{beyond}.", lasting=True)
    return replace(comparison, facts={**comparison.facts, "seconds": round(took, 1)})


def _at_least_one(seeds: int) -> int:
    if seeds < 1:
        raise UsageError(f"seeds must be at least 1, got {seeds}.")
    return seeds


def _compared(task: Task) -> ComparedTask:
    if task.compared is None:
        raise UsageError(f"There is nothing to compare for the task {task.name!r}.")
    return task.compared


def _runs(
    plain: Run, families: Mapping[str, Any], own: Container[str], seeds: int, folds: Parts, parts: Parts, first: Parts
) -> Iterator[Run]:
    """Every fold under every seed; and behind the folds each smaller part, under the seed it was drawn with.

    Behind them are the ``first`` of what learns by gradients, a share's folds together, but not of those that learn
    from their ``own`` texts before: that takes as long whatever the rows.  What is solved comes before what is trained
    by gradients: it is cheaper, where nobody has estimated it.
    """
    for label, family in sorted(families.items(), key=lambda item: item[1].learner != "convex"):
        mine = replace(plain, label=label, family=family)
        if label in own:
            mine = replace(mine, arguments={**plain.arguments, "pretrain": OWN})
        for seed in range(1 if family.learner in SOLVED else seeds):
            yield from (replace(mine, seed=plain.seed + seed, fold=fold) for fold in range(len(folds)))
        for number, (rows, _) in enumerate(parts):
            yield replace(mine, seed=plain.seed + number % seeds, fold=len(folds) + number, part_rows=len(rows))
        for number in range(len(first) if family.learner == "gradient" and label not in own else 0):
            of_first_fold, _ = first[number - number % len(folds)]
            yield replace(
                mine, fold=len(folds) + len(parts) + number, part_rows=len(of_first_fold), begins=True
            )


def _families(task: Task, compared: ComparedTask, families: Any) -> dict[str, Any]:
    if families is None:
        return labelled(compared.usual())
    given = [configured(each, task.families) for each in ([families] if isinstance(families, str) else families)]
    left_out = None if compared.baseline_family is None else name_of(compared.baseline_family)
    return labelled(family for family in given if name_of(family) != left_out)


def _pretrained_too(
    chosen: dict[str, Any], pretrain: str | None, unlabelled: Iterable[str] | None
) -> dict[str, Any]:
    """Those of the chosen that can learn from texts without answers first, under names that say so."""
    if pretrain not in (None, OWN):
        raise UsageError(f"pretrain is None or {OWN!r}; got {pretrain!r}.")
    if pretrain is None:
        if unlabelled is not None:
            raise UsageError(f"Texts without answers are for pretraining. Give pretrain={OWN!r} (--pretrain own) too.")
        return {}
    own = {f"{label} + own": family for label, family in chosen.items() if family.pretraining is not None}
    if not own:
        able = pretrainable(DOCUMENT_FAMILIES)
        raise UsageError(f"None of these families can be pretrained on your texts; {', '.join(able[:-1])} and "
                         f"{able[-1]} can.")
    return own


def _conclude(plan: Plan, outcomes: Sequence[Outcome], interrupted: bool) -> Comparison:
    data, scoring = plan.data, plan.compared.scoring(plan.data)
    whole = [outcome for outcome in outcomes if outcome.run.fold < len(data.folds)]
    first = [outcome for outcome in outcomes if outcome.run.begins and outcome.cost]
    predictions, confidences, results = _scored(plan, scoring, whole, first)
    learned = [outcome for outcome in outcomes if not outcome.untrained and outcome.run.label not in {
        each.family for each in results if each.status == NOT_TRAINED
    }]
    pairs, adjusted = scoring.paired_tests(predictions)
    tested = data.tested
    ordered, verdict = ranked(results, plan.families, pairs, adjusted, scoring.metric, len(tested), plan.baseline)
    firsts = {each.family: predictions[each.family][0] for each in ordered if each.family in predictions}
    return Comparison(
        plan.task.name, scoring.metric, ordered, verdict, pairs, adjusted, tuple(predictions), plan.baseline,
        len(data.folds[0][0]), len(tested), _duplicates(data), {**plan.compared.facts(data), **plan.settings},
        library_versions(), interrupted,
        by_length=by_length(
            [data.inputs[i] for i in tested], list(predictions),
            lambda label, mine: scoring.interval(predictions[label], mine), whole,
        ),
        learning_curve=curve_of(scoring, data, plan.parts, learned, predictions),
        evidence=scoring.evidence(firsts, confidences, plan.baseline),
        length_matters=plan.compared.length_matters,
    )


def _scored(
    plan: Plan, scoring: Scoring, outcomes: Sequence[Outcome], first: Sequence[Outcome]
) -> tuple[dict[str, list[Any]], dict[str, NDArray], list[FamilyResult]]:
    """Every family's predictions by seed, its confidences where it has any, and its result."""
    predictions: dict[str, list[Any]] = {}
    confidences: dict[str, NDArray] = {}
    results: list[FamilyResult] = []
    if plan.compared.baseline_family is None:
        predictions[plan.baseline] = [scoring.prediction(plan.compared.baseline_answers(plan.data))]
        mine = predictions[plan.baseline]
        results.append(result_of(plan.baseline, scoring.interval(mine), scoring, mine, []))
    for label in plan.families:
        given = [outcome for outcome in outcomes if outcome.run.label == label]
        planned = len({run.seed for run in plan.runs if run.label == label and run.fold < len(plan.data.folds)})
        seeds = complete_seeds(given, len(plan.data.folds))
        begun = [outcome for outcome in first if outcome.run.label == label]
        if missing := unscored(label, given, seeds, planned):
            results.append(with_spent(missing, begun))
            continue
        by_seed = {seed: _in_folds(given, seed) for seed in seeds}
        found = [scoring.prediction([answer for run in runs for answer in run.answers]) for runs in by_seed.values()]
        predictions[label] = found
        sure = confidences_of(by_seed[seeds[0]])
        confidences |= {} if sure is None else {label: sure}
        made = [outcome for runs in by_seed.values() for outcome in runs]
        result = with_first_rows(result_of(label, scoring.interval(found), scoring, found, made), begun)
        results.append(with_seeds(result, given, planned))
    return predictions, confidences, results


def _in_folds(outcomes: Sequence[Outcome], seed: int) -> list[Outcome]:
    return sorted((each for each in outcomes if each.run.seed == seed), key=lambda each: each.run.fold)


def confidences_of(outcomes: Sequence[Outcome]) -> NDArray | None:
    """The probabilities of one seed's answers, its folds in order; None if there are none."""
    parts = [outcome.confidences for outcome in outcomes if outcome.confidences is not None]
    return np.concatenate(parts) if len(parts) == len(outcomes) else None


def _duplicates(data: ComparedData) -> int:
    """Test inputs that the same fold's training rows hold too, letter for letter."""
    found = 0
    for train, test in data.folds:
        seen = {data.inputs[i] for i in train}
        found += sum(data.inputs[i] in seen for i in test)
    return found
