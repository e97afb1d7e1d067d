"""Language models: plain text -> the probability of every token, and text that goes on."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scansion.deferred import deferred
from scansion.errors import DataError, UsageError, did_you_mean
from scansion.families.catalogue import LANGUAGE_FAMILIES, configured, name_of, options_of
from scansion.families.unigram import Unigram
from scansion.learning.events import Event
from scansion.measures.bits_per_byte import bits_interval, paired_bits
from scansion.measures.evidence import Evidence
from scansion.measures.intervals import Interval
from scansion.measures.metric import METRICS
from scansion.measures.paired import PairedTest, all_pairs
from scansion.models.arpa import ArpaNGrams
from scansion.models.fitted_language import document_sizes
from scansion.models.language_folder import load_language
from scansion.randomness import seed_from
from scansion.storage.fingerprints import fingerprint_of
from scansion.storage.folders import Folder
from scansion.tasks.language_model import ROWS, LanguageModel, sampling
from scansion.tasks.task import (
    OF_FILES,
    Answered,
    AnswerForm,
    Answers,
    ComparedData,
    ComparedTask,
    Dataset,
    Evaluation,
    FitRequest,
    FittedTask,
    GenerateOptions,
    Looked,
    LookOptions,
    PredictOptions,
    ReadOptions,
    Summary,
    Task,
    held_out_share,
)
from scansion.text.corpus import CHOSEN, is_plain_text, read_corpus
from scansion.text.documents import Documents, check_documents, read_documents
from scansion.text.text_units import TextUnits, units_for
from scansion.viewer.number_format import counted

if TYPE_CHECKING:
    from scansion.models.ctranslate2_decoder import CTranslate2Decoder
    from scansion.models.language_writer import Written

look_at_language = deferred("scansion.inspection.language_page", "look_at_language")

BASELINE = "unigram"
MOST_TOLD = 3
SEEDS = 3
METRIC = METRICS["bits_per_byte"]
FEWEST_TESTED, FEWEST_BLOCKS = 20, 200
SMALLEST_BLOCK = 500


def read(paths: Sequence[str], options: ReadOptions) -> Dataset:
    """Plain text, files or a folder of it, or a table's column."""
    corpus = read_corpus(paths, options.text, options.documents, options.remembered, options.file)
    remark = (
        f"{corpus.name}: {counted(len(corpus), 'document')}, {counted(corpus.characters, 'character')}; task: language "
        f"({LANGUAGE.about}). {corpus.reason}"
    )
    chosen = corpus.documents if corpus.documents in CHOSEN else None
    again = replace(options, remembered=corpus.columns, documents=chosen, file=options.file.for_another_file())
    return Dataset(LANGUAGE.name, corpus.name, corpus, (), len(corpus), (remark,), again)


def configuration(name: str | None) -> Any:
    """A family's configuration from its name; of plain text the counted one, if none is named."""
    return configured("n-grams" if name is None else name, LANGUAGE_FAMILIES)


def fit(data: Dataset, request: FitRequest) -> Generator[Event, None, LanguageModel]:
    """A language model of the documents."""
    return LanguageModel(request.family, **request.arguments).fitting(
        data.inputs, checkpointing=request.checkpointing
    )


def report_of_fit(model: LanguageModel, place: str) -> Summary:
    """What a fit has come to."""
    report, family = model.fit_report_, name_of(model.check_fitted().family)
    return Summary(
        {
            "model": place, "task": model.task, "family": family, "tokens": model.check_fitted().units.name,
            "vocabulary": len(model.check_fitted().units), "fit_seconds": report.seconds,
            "processor_seconds": report.processor_seconds, "parameters": report.parameters, "notes": list(report.notes),
        },
        (f"{place}: {family}, {report.parameters:,} parameters, {report.cost}.",),
        report.notes,
    )


EXPORTED: dict[str, dict[str, Callable[[Any, TextUnits], Any]]] = {
    "arpa": {"counted": ArpaNGrams},
    "huggingface": {"gradient": deferred("scansion.models.huggingface_decoder", "HuggingFaceDecoder")},
    "onnx": {"gradient": deferred("scansion.exporting.onnx_language", "language")},
}
"""What writes a model of each kind in a format."""
ENGINES: dict[str, dict[str, Callable[[Any, TextUnits, Any, int | None], Any]]] = {
    "ctranslate2": {"gradient": deferred("scansion.models.ctranslate2_decoder", "CTranslate2Decoder")},
}
"""What writes text in place of a model of each kind, and a format too: in a precision, by so many replicas."""
OF = {"arpa": "n-grams", "huggingface": "Transformers", "ctranslate2": "Transformers",
      "onnx": "recurrent networks"}
"""What each format is for."""


def load(folder: Folder) -> LanguageModel:
    """The language model in a verified folder."""
    return LanguageModel.from_fitted(load_language(folder))


from_arpa, from_pretrained = LanguageModel.from_arpa, LanguageModel.from_pretrained
"""What others have written, as a model."""


def export(model: LanguageModel, engine: str, precision: Any, replicas: int | None) -> Any:
    """The model in the format of that name: it has ``save``."""
    fitted = model.check_fitted()
    formats = EXPORTED | ENGINES
    if engine not in formats:
        raise UsageError(f"{engine!r} does not run language models{did_you_mean(engine, formats)}")
    if fitted.model.kind not in formats[engine]:
        raise UsageError(f"{engine!r} is a format of {OF[engine]}, and this is the family {fitted.description.title}.")
    if engine in ENGINES:
        return ENGINES[engine][fitted.model.kind](fitted.model, fitted.units, precision, replicas)
    return EXPORTED[engine][fitted.model.kind](fitted.model, fitted.units)


def read_options(model: LanguageModel, options: ReadOptions) -> ReadOptions:
    """Documents are what they were in training, unless it is said."""
    fitted = model.check_fitted()
    remembered = fitted.documents if fitted.documents in CHOSEN else None
    return replace(options, documents=options.documents or remembered, remembered=fitted.columns)


def evaluate(model: Any, name: str, data: Dataset, beam: int | None) -> Evaluation:
    """Bits per byte with the interval over documents, and what it is made of."""
    score = model.evaluate(data.inputs)
    over = f"95 % of {counted(score.documents, 'document')}" if score.documents > 1 else "one document has no interval"
    lines = (
        f"bits per byte   {score.bits_per_byte:.4f}  ({score.low:.4f} to {score.high:.4f}, {over}); lower is better",
        f"nats a token    {score.nats_per_token:.4f}, perplexity {score.perplexity:,.2f}; {score.tokens:,} tokens, "
        f"{score.bytes:,} bytes",
        f"signature       {score.signature}",
    )
    return Evaluation(Summary(vars(score).copy(), lines), score.bits_per_byte, METRIC)


def form(model: Any) -> AnswerForm:
    """Bits per byte."""
    return AnswerForm(float)


def predict(model: Any, parts: Iterable[list[str]], options: PredictOptions) -> Iterator[Answers]:
    """The bits per byte of each document."""
    for texts in parts:
        found = model.predict(texts).tolist()
        yield Answers(found, counts=model.coverage(texts).tolist() if options.counts else None)


def inputs(path: str, options: ReadOptions) -> Documents:
    """Documents without answers: a table's if its columns can be told apart, else plain lines."""
    return read_documents(
        path, text=options.text, with_target=False, remembered=options.remembered, file=options.file
    )


def look(models: Sequence[LanguageModel], text: str, options: LookOptions) -> Looked:
    """What language models make of one text."""
    found = look_at_language([model.check_fitted() for model in models], text, options.window)
    told = {
        "text": text, "words": list(found.words()),
        "models": [_told(each) | {"bits_of_words": found.bits_of_words(each).tolist()} for each in found.models],
    }
    return Looked(found, told, tuple(map(_most, found.models)))


def _told(seen: Any) -> dict[str, Any]:
    return {
        "family": seen.name, "units": seen.units, "bits_per_byte": seen.bits_per_byte, "tokens": list(seen.tokens),
        "bits": seen.bits.tolist(), "next": [[each.token, each.probability] for each in seen.candidates[-1]],
        "head_effects": None if seen.attention is None else seen.attention.effects.tolist(),
    }


def _most(seen: Any) -> str:
    surprises = ", ".join(f"{seen.tokens[at]!r} {seen.bits[at]:.1f}" for at in seen.surprises()[:MOST_TOLD])
    follows = ", ".join(f"{each.token!r} {each.probability:.0%}" for each in seen.candidates[-1][:MOST_TOLD])
    return f"{seen.name}: {seen.bits_per_byte:.2f} bits per byte; bits {surprises or 'of no token'}; next {follows}"


def generate(
    model: "LanguageModel | CTranslate2Decoder", prompts: Sequence[str], options: GenerateOptions
) -> Iterator["Written"]:
    """Text that goes on after each prompt, token by token."""
    how = sampling(
        options.temperature, options.top_k, options.top_p, options.min_p, options.repetition_penalty
    )
    return model.writing(prompts, how, options.max_tokens, options.stop, seed_from(options.seed))


# Comparison


def usual_families() -> list[Any]:
    """All of them, without the baseline and what needs a folder of weights."""
    return [kind() for name, kind in LANGUAGE_FAMILIES.items() if name != BASELINE and "source" not in options_of(kind)]


def compared_documents(
    texts: Iterable[str], targets: Any, task: str, test: tuple[Iterable[str], Any] | None,
    splits: Sequence[str] | None, folds: int | None, test_share: float, random_state: int,
) -> ComparedData:
    """See :func:`scansion.compare`: the last documents are the test, for what stands side by side is alike.

    Where they are few, all are cut into blocks, which are then compared pair by pair.
    """
    rule = getattr(texts, "documents", ROWS)
    learned, tested = list(check_documents(texts)), [] if test is None else list(check_documents(test[0]))
    cut = ""
    if len(tested or learned) < (FEWEST_TESTED if tested else FEWEST_TESTED / test_share):
        learned, tested = in_blocks(learned), in_blocks(tested)
        cut = ", cut into blocks, since there are few"
    rows = np.arange(len(learned) + len(tested))
    if test is not None:
        parts, split = [(rows[: len(learned)], rows[len(learned) :])], f"the test set given{cut}"
    elif folds is not None:
        if not 2 <= folds <= len(rows):
            raise UsageError(f"{len(rows):,} documents are tested in 2 to {len(rows):,} folds; got {folds}.")
        parts = [(np.setdiff1d(rows, part), part) for part in np.array_split(rows, folds)]
        split = f"{folds} folds of neighbouring documents{cut}"
    else:
        count = held_out_share(len(rows), test_share)
        parts, split = [(rows[: len(rows) - count], rows[len(rows) - count :])], f"the last {test_share:.0%}{cut}"
    if min(len(part) for fold in parts for part in fold) < 2:
        raise DataError("There is too little text to compare on: give documents of some thousand characters in all.")
    every = learned + tested
    return ComparedData(every, document_sizes(every, rule).tolist(), parts, split)


def in_blocks(texts: Sequence[str]) -> list[str]:
    """The texts in about FEWEST_BLOCKS pieces or more, cut behind line ends, or blanks where there is none."""
    size = max(SMALLEST_BLOCK, sum(map(len, texts)) // FEWEST_BLOCKS)
    blocks = []
    for text in texts:
        begin = 0
        while len(text) - begin > 2 * size:
            places = (text.rfind(mark, begin + size // 2, begin + size) + 1 for mark in "\n ")
            end = next((place for place in places if place), begin + size)
            blocks.append(text[begin:end])
            begin = end
        blocks.append(text[begin:])
    return blocks


class LanguageScoring:
    """Bits for the tested documents of ``data``; see :class:`scansion.tasks.task.Scoring`."""

    def __init__(self, data: ComparedData) -> None:
        self.metric = METRIC
        self.sizes = np.array([data.targets[row] for row in data.tested])

    def prediction(self, answers: list[Any]) -> NDArray:
        """See :class:`scansion.tasks.task.Scoring`."""
        return np.array(answers, np.float64)

    def interval(self, predictions: Sequence[NDArray], rows: NDArray | None = None) -> Interval:
        """See :class:`scansion.tasks.task.Scoring`."""
        mine = slice(None) if rows is None else rows
        return bits_interval([each[mine] for each in predictions], self.sizes[mine])

    def measures(self, prediction: NDArray) -> dict[str, float]:
        """Bits per byte."""
        return {METRIC.name: float(prediction.sum() / self.sizes.sum())}

    def paired_tests(
        self, predictions: Mapping[str, Sequence[NDArray]]
    ) -> tuple[dict[tuple[str, str], PairedTest], NDArray]:
        """See :class:`scansion.tasks.task.Scoring`."""
        return all_pairs(list(predictions), lambda a, b: paired_bits(predictions[a], predictions[b], self.sizes))

    def evidence(
        self, predictions: Mapping[str, NDArray], confidences: Mapping[str, NDArray], baseline: str
    ) -> Evidence:
        """Nothing stands behind the figures that could be read row by row."""
        return Evidence()


def facts_of_documents(data: ComparedData) -> dict[str, Any]:
    """What is worth knowing of the documents before believing any score."""
    words = np.array([len(text.split()) for text in data.inputs])
    middle, most, longest = np.quantile(words, [0.5, 0.95, 1.0]).astype(int).tolist()
    train = data.folds[0][0]
    size = sum(len(data.inputs[row]) for row in train)
    return {
        "rows": len(data.inputs), "bytes": int(sum(data.targets)), "words_median": middle, "words_95_percent": most,
        "words_longest": longest, "duplicates_inside_training": len(train) - len({data.inputs[i] for i in train}),
        "data_fingerprint": fingerprint_of(data.inputs), "split": data.split,
        "reading": f"Tokens are {units_for(size)}, unless --tokens says otherwise; bytes are those of UTF-8",
    }


def answer(model: LanguageModel, texts: list[str], targets: list[Any]) -> Answered:
    """The bits of each document."""
    return Answered(model.bits(texts).tolist())


LANGUAGE = Task(
    LanguageModel.task, "plain text", None, LANGUAGE_FAMILIES,
    {
        "fit": OF_FILES | {"--text", "--task", "--tokens", "--documents", "--from"},
        "compare": OF_FILES | {"--text", "--task", "--tokens", "--documents", "--folds", "--at-most"},
        "predict": OF_FILES | {"--text", "--read", "--json", "--out", "--keep"},
        "evaluate": OF_FILES | {"--text", "--documents", "--at-most"},
        "look": frozenset({"--window"}),
    },
    frozenset({"tokens"}), read, configuration, fit, report_of_fit, takes_by_itself=is_plain_text,
    fitted=FittedTask(
        load, export, read_options, evaluate, form, predict, inputs, False, look,
        generate=generate, formats=(*EXPORTED, *ENGINES), engines=tuple(ENGINES),
    ),
    compared=ComparedTask(
        LanguageModel, SEEDS, usual_families, lambda data: BASELINE, Unigram(), lambda data: [], compared_documents,
        LanguageScoring, facts_of_documents, lambda data, options: None, answer, lambda data, rows: None,
        lambda data: FEWEST_TESTED, length_matters=False,
    ),
)
