"""Translation: two files of parallel text -> a text in one language from a text in the other."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.errors import DataError, UsageError
from scansion.exporting.catalogue import TRANSLATORS as WRITTEN
from scansion.exporting.catalogue import writing
from scansion.families.catalogue import TRANSLATION_FAMILIES, configured, name_of
from scansion.learning.events import Event
from scansion.measures.bleu import (
    bleu,
    bleu_counts,
    bleu_of,
    chrf,
    chrf_counts,
    chrf_of,
    interval_over_seeds,
    paired_bootstrap,
)
from scansion.measures.disagreements import GivenAnswer, disagreements, told, widest
from scansion.measures.evidence import Evidence
from scansion.measures.intervals import Interval
from scansion.measures.metric import METRICS
from scansion.measures.paired import PairedTest, all_pairs
from scansion.models.exporters import exported
from scansion.models.translation_folder import load_translator
from scansion.randomness import stream
from scansion.storage.fingerprints import fingerprint_of
from scansion.storage.folders import Folder
from scansion.tasks.task import (
    Answered,
    AnswerForm,
    Answers,
    ComparedData,
    ComparedTask,
    Dataset,
    Evaluation,
    FitRequest,
    FittedTask,
    Looked,
    LookOptions,
    PredictOptions,
    ReadOptions,
    Summary,
    Task,
    held_out_share,
)
from scansion.tasks.translator import Translator
from scansion.text.documents import Documents, check_documents, read_lines
from scansion.text.parallel_text import MOST_EMPTY, read_parallel
from scansion.viewer.number_format import counted

SEEDS = 1
FEWEST_TEST_PAIRS = 2
COPIED_PAIRS, COPIED_WORDS = 0.2, 0.5  # beyond these shares something is likely to be swapped
BASELINE = "copy"
ENGINES = ("ctranslate2",)
"""What a program scores that translates nothing."""


def read_pairs(paths: Sequence[str], options: ReadOptions) -> Dataset:
    """Two plain files of as many lines."""
    pairs = read_parallel(
        paths[0], paths[1], MOST_EMPTY if options.max_bad is None else options.max_bad, options.file
    )
    remarks = [f"{pairs.name}: {counted(len(pairs), 'pair')}; task: translate (two files of as many lines)."]
    for side in (pairs.source, pairs.target):
        remarks += [f"{side.table.source.short_name}: {remark}." for remark in side.table.remarks]
    if pairs.left_out:
        remarks.append(f"Warning: {counted(pairs.left_out, 'pair')} with an empty side left out.")
    same = sum(mine == theirs for mine, theirs in zip(pairs.source, pairs.target, strict=True))
    if same > COPIED_PAIRS * len(pairs):
        remarks.append(
            f"Warning: {same / len(pairs):.0%} of the lines are the same in both files. Are they two languages?"
        )
    return Dataset(Translator.task, pairs.name, pairs.source, pairs.target, len(pairs), tuple(remarks), options)


def fit(data: Dataset, request: FitRequest) -> Generator[Event, None, Translator]:
    """A translator, fitted to the pairs."""
    valid = None if request.validation is None else (request.validation.inputs, request.validation.targets)
    translator = Translator(request.family, **request.arguments)
    return translator.fitting(data.inputs, data.targets, valid, request.checkpointing)


def report_of_fit(translator: Translator, place: str) -> Summary:
    """What a fit has come to."""
    report, family = translator.fit_report_, name_of(translator.check_fitted().family)
    return Summary(
        {
            "model": place, "task": translator.task, "family": family, "perplexity": report.perplexity,
            "fit_seconds": report.seconds, "processor_seconds": report.processor_seconds,
            "parameters": report.parameters, "notes": list(report.notes),
        },
        (f"{place}: {family}, {report.parameters:,} parameters, {report.cost}. perplexity of a held-out "
         f"token: {report.perplexity:.2f}.",),
        report.notes,
    )


def load(folder: Folder) -> Translator:
    """The translator in a verified folder."""
    return Translator.from_fitted(load_translator(folder))


def export(translator: Translator, engine: str, precision: Any, replicas: int | None) -> Any:
    """The translator in another engine: it has ``predict``, and ``save`` for the folder which that engine loads.

    Of another runtime it has ``save`` alone.
    """
    if engine in WRITTEN:
        return writing(WRITTEN, engine, precision)(translator.check_fitted())
    return exported(translator.check_fitted(), engine, precision, replicas)


def read_options(translator: Translator, options: ReadOptions) -> ReadOptions:
    """Two files have no columns to choose."""
    return options


def evaluate(translator: Any, name: str, data: Dataset, beam: int | None) -> Evaluation:
    """sacreBLEU, BLEU of the words as they stand, and chrF2, with intervals."""
    found, wanted = translator.predict(data.inputs, beam=beam), list(data.targets)
    standard, tokenised, letters = bleu(found, wanted), bleu(found, wanted, "none"), chrf(found, wanted)
    scores = {"sacreBLEU": standard, "BLEU of the words as they stand": tokenised, "chrF2": letters}
    lines = tuple(
        f"{title:31}  {score.score:5.2f}  ({score.low:.2f} to {score.high:.2f}, 95 % of "
        f"{counted(len(wanted), 'sentence')})  {score.signature}"
        for title, score in scores.items()
    )
    summary = Summary(
        {
            "sacrebleu": {"score": standard.score, "low": standard.low, "high": standard.high,
                          "signature": standard.signature},
            "bleu_tokenised": tokenised.score, "chrf": letters.score, "rows": len(wanted),
        },
        lines,
    )
    return Evaluation(summary, standard.score / 100, METRICS["bleu"])


def predict(translator: Any, parts: Iterable[list[str]], options: PredictOptions) -> Iterator[Answers]:
    """A translation of each, on one line; at last a warning where most words were copied."""
    copied = words = 0
    for texts in parts:
        lines = []
        for text, found in zip(texts, translator.predict(texts, beam=options.beam), strict=True):
            lines.append(" ".join(found.splitlines()))
            mine = found.split()
            words += len(mine)
            copied += len(set(mine) & set(text.split()))
        yield Answers(lines)
    if copied > COPIED_WORDS * words:
        yield Answers(remark=f"Warning: {copied / words:.0%} of the words were copied from the input. Is it in the "
                             "language this model reads?")


def form(translator: Any) -> AnswerForm:
    """Texts."""
    return AnswerForm()


def lines_in(path: str, options: ReadOptions) -> Documents:
    """Plain lines, whatever the file is called."""
    return read_lines(path, options.file)


def look(translators: Sequence[Translator], text: str, options: LookOptions) -> Looked:
    """What one translator does while it writes."""
    if len(translators) > 1:
        raise UsageError("One translator is looked at at a time. Name one.")
    found = translators[0].look(text, options.translation)
    told_json = {"source": found.source, "target": found.target, "alignment": found.alignment().tolist()}
    return Looked(found, told_json, (found.target,))


# Comparison


def usual_families() -> list[Any]:
    """All of them."""
    return [kind() for kind in TRANSLATION_FAMILIES.values()]


def compared_pairs(
    sources: Iterable[str], targets: Iterable[str], task: str, test: tuple[Iterable[str], Iterable[str]] | None,
    splits: Sequence[str] | None, folds: int | None, test_share: float, random_state: int,
) -> ComparedData:
    """See :func:`scansion.compare`. UsageError and DataError for what does not fit together."""
    sources, targets = list(check_documents(sources)), list(check_documents(targets))
    if len(sources) != len(targets):
        raise UsageError(f"There are {len(sources):,} sources and {len(targets):,} targets; give one of each a row.")
    rows = np.arange(len(sources))
    if test is None:
        count = held_out_share(len(rows), test_share)
        held = np.sort(stream(random_state, "test pairs").permutation(len(rows))[:count])
        train, split = np.setdiff1d(rows, held), f"a random {test_share:.0%} as test pairs"
    else:
        sources, targets = sources + list(check_documents(test[0])), targets + list(check_documents(test[1]))
        train, held, split = rows, np.arange(len(rows), len(sources)), "the test set given"
    if len(sources) != len(targets) or len(held) < FEWEST_TEST_PAIRS or len(train) < FEWEST_TEST_PAIRS:
        raise DataError(f"There are too few pairs to compare on: {len(train):,} for training, {len(held):,} to test.")
    return ComparedData(sources, targets, [(train, held)], split)


@dataclass(frozen=True, eq=False)
class Translated:
    """Translations of the tested sentences, beside their references."""

    found: list[str]
    wanted: list[str]

    @cached_property
    def counts(self) -> NDArray:
        """What BLEU is made of, (N, C)."""
        return bleu_counts(self.found, self.wanted)


class TranslationScoring:
    """Translations of the tested sentences of ``data``, judged by BLEU; see :class:`scansion.tasks.task.Scoring`."""

    def __init__(self, data: ComparedData) -> None:
        self.data, self.metric = data, METRICS["bleu"]
        self.read = [data.inputs[row] for row in data.tested]
        self.wanted = [data.targets[row] for row in data.tested]

    def prediction(self, answers: list[Any]) -> Translated:
        """See :class:`scansion.tasks.task.Scoring`."""
        return Translated(answers, self.wanted)

    def interval(self, predictions: Sequence[Translated], rows: NDArray | None = None) -> Interval:
        """See :class:`scansion.tasks.task.Scoring`."""
        mine = slice(None) if rows is None else rows
        return interval_over_seeds([each.counts[mine] for each in predictions], bleu_of)

    def measures(self, prediction: Translated) -> dict[str, float]:
        """BLEU and chrF as shares."""
        return {
            "bleu": float(bleu_of(prediction.counts.sum(axis=0))) / 100,
            "chrf": float(chrf_of(chrf_counts(prediction.found, prediction.wanted).sum(axis=0))) / 100,
        }

    def paired_tests(
        self, predictions: Mapping[str, Sequence[Translated]]
    ) -> tuple[dict[tuple[str, str], PairedTest], NDArray]:
        """See :class:`scansion.tasks.task.Scoring`."""
        counts = {label: [each.counts for each in mine] for label, mine in predictions.items()}
        return all_pairs(list(counts), lambda a, b: paired_bootstrap(counts[a], counts[b], bleu_of))

    def evidence(
        self, predictions: Mapping[str, Translated], confidences: Mapping[str, NDArray], baseline: str
    ) -> Evidence:
        """The sentences whose chrF differs most between families."""
        rivals = {label: each.found for label, each in predictions.items() if label != baseline}
        if len(rivals) < 2:
            return Evidence()
        scores = {label: chrf_of(chrf_counts(mine, self.wanted)) / 100 for label, mine in rivals.items()}
        rows = widest(np.stack(list(scores.values())))
        given = {
            label: [GivenAnswer(label, told(mine[row]), chrf=float(scores[label][row])) for row in rows]
            for label, mine in rivals.items()
        }
        wanted = [told(text) for text in self.wanted]
        return Evidence(disagreements=disagreements(rows, self.read, self.data.tested, wanted, given))


def facts_of_pairs(data: ComparedData) -> dict[str, Any]:
    """What is worth knowing of the pairs before believing any score."""
    lengths = np.array([len(text.split()) for text in data.inputs])
    middle, most, longest = np.quantile(lengths, [0.5, 0.95, 1.0]).astype(int).tolist()
    train = data.folds[0][0]
    return {
        "rows": len(data.inputs), "words_median": middle, "words_95_percent": most, "words_longest": longest,
        "duplicates_inside_training": len(train) - len({(data.inputs[i], data.targets[i]) for i in train}),
        "data_fingerprint": fingerprint_of(data.inputs), "targets_fingerprint": fingerprint_of(data.targets),
        "split": data.split,
    }


def copied(data: ComparedData) -> list[Any]:
    """The sources themselves."""
    return [data.inputs[row] for row in data.tested]


def answer(translator: Any, texts: list[str], targets: list[Any]) -> Answered:
    """Translations."""
    return Answered(translator.predict(texts))


def configuration(name: str | None) -> Any:
    """A family's configuration from its name."""
    if name is None:
        raise UsageError("Which family? Give --family; scansion families lists them.")
    return configured(name, TRANSLATION_FAMILIES)


OF_TEXT = frozenset({"--encoding"})

TRANSLATE = Task(
    Translator.task, "two files of parallel text", 2, TRANSLATION_FAMILIES,
    {
        "fit": OF_TEXT | {"--valid", "--task"}, "compare": OF_TEXT | {"--task"},
        "predict": OF_TEXT | {"--beam", "--json", "--out", "--keep"}, "evaluate": OF_TEXT | {"--beam"},
        "look": frozenset({"--translation"}),
    },
    frozenset(), read_pairs, configuration, fit, report_of_fit,
    fitted=FittedTask(
        load, export, read_options, evaluate, form, predict, lines_in, False, look, formats=(*ENGINES, *WRITTEN),
        engines=ENGINES,
    ),
    compared=ComparedTask(
        Translator, SEEDS, usual_families, lambda data: BASELINE, None, copied, compared_pairs, TranslationScoring,
        facts_of_pairs, lambda data, options: None, answer, lambda data, rows: None, lambda data: FEWEST_TEST_PAIRS,
        length_matters=True,
    ),
)
