"""LanguageModel: text -> how probable it is, token by token, and text that goes on.

It follows scikit-learn as its density estimators do: the constructor stores its arguments untouched, ``fit`` takes
texts and no answers, ``score`` is the higher the better, what was learned ends in an underscore.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from scansion.deferred import deferred
from scansion.errors import DataError, NotFittedError
from scansion.families.catalogue import LANGUAGE_FAMILIES, configured
from scansion.families.kneser_ney import KneserNey
from scansion.learning.budget import seconds_of
from scansion.learning.description import FitDescription
from scansion.learning.events import Event, Stage
from scansion.learning.training import LanguageTraining
from scansion.measures.bits_per_byte import LanguageScore, language_score
from scansion.models.arpa import read_arpa
from scansion.models.fitted_language import FittedLanguage, document_sizes
from scansion.models.language_folder import save_language
from scansion.processors import cost_from_now
from scansion.randomness import seed_from
from scansion.storage.fingerprints import fingerprint_of
from scansion.tasks.estimator import Estimator
from scansion.tasks.language_learners import begun
from scansion.text.batches import Sequences
from scansion.text.columns import UNNAMED
from scansion.text.documents import check_documents
from scansion.text.text_units import LEARN, check_units
from scansion.viewer.number_format import cost_shown

if TYPE_CHECKING:
    from scansion.decoding.filters import Sampling
    from scansion.learning.checkpointing import Checkpointing
    from scansion.models.language_writer import Written

sampling = deferred("scansion.decoding.filters", "Sampling")
as_it_is = deferred("scansion.models.decoder_folder", "as_it_is")
written_by = deferred("scansion.models.language_writer", "writing")

ROWS = "rows"
MAX_TOKENS = 256


@dataclass(frozen=True)
class LanguageReport:
    """What a fit did and what it cost."""

    seconds: float
    """Of a run that was gone on with, those since then."""
    processor_seconds: float
    """What processors worked in that time, for this process and for those that it started."""
    parameters: int
    workers: int
    """Processes beside the caller's own that trained it."""
    notes: tuple[str, ...]
    cut_short: bool
    """Whether the budget was spent before all was learned."""
    untrained: str
    """How far it came if the budget was spent before enough was read for a score; else empty."""

    @property
    def cost(self) -> str:
        """``12.0 s, 21 processor seconds``."""
        return cost_shown(self.seconds, self.processor_seconds)


@dataclass(frozen=True, eq=False)
class Surprisal:
    """The tokens of a text, the end of it the last and empty, and the bits that each took."""

    tokens: list[str]
    bits: NDArray  # (tokens,)


class LanguageModel(Estimator):
    """Texts -> the probability of every token after those before it.

    Parameters: ``family`` is a name in ``scansion.LANGUAGE_FAMILIES`` or a configuration such as
    ``scansion.KneserNey(order=5)``.  ``tokens`` are ``characters``, ``bytes``, ``words`` or ``subwords``; None takes
    characters for up to two million of them, else subwords.  ``vocab_size`` is how many pieces are learned at most, by
    default 100,000 words or 5,000 subwords.  ``budget`` bounds the whole fit (``90`` seconds, ``"5m"``), and
    ``training`` says how much a network is trained; what only counts is not bounded by either.

    Attributes: ``n_documents_in_``, documents it was fitted on; ``fit_report_``, what the fit cost and what is to be
    said of it; ``fitted_``, all that was learned, a frozen value.
    """

    task = "language"

    def __init__(
        self,
        family: Any = "n-grams",
        *,
        tokens: str | None = None,
        vocab_size: int | None = None,
        budget: float | str | None = None,
        training: LanguageTraining = LanguageTraining(),  # noqa: B008
        processes: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.family = family
        self.tokens = tokens
        self.vocab_size = vocab_size
        self.budget = budget
        self.training = training
        self.processes = processes
        self.random_state = random_state

    def fit(self, texts: Iterable[str], y: Any = None) -> Self:
        """Learn from N documents; returns ``self``.  ``y`` is there for scikit-learn and is not read.

        UsageError for arguments that do not fit together, DataError for texts without a character.
        """
        for _ in self.fitting(texts):
            pass
        return self

    def fitting(
        self, texts: Iterable[str], y: Any = None, checkpointing: "Checkpointing | None" = None
    ) -> Generator[Event, None, Self]:
        """The same as :meth:`fit`, as a generator of what happens: progress is an ordinary ``for`` around it."""
        cost, deadline = cost_from_now(), time.monotonic() + seconds_of(self.budget)
        family, seed = configured(self.family, LANGUAGE_FAMILIES), seed_from(self.random_state)
        check_units(self.tokens)
        texts = check_documents(texts)
        size = sum(map(len, texts))
        if not size:
            raise DataError("There is no text to learn from. Give documents of at least one character.")
        yield Stage("learning tokens")
        start = begun(family, texts, size, self.tokens, self.vocab_size)
        units = start.units
        yield Stage(f"reading texts as {units.name}")
        sequences = units.encode(texts)
        description = FitDescription(
            self.task, family, self.training, seed, len(sequences),
            {"texts": fingerprint_of(texts)}, vocab_size=self.vocab_size, processes=self.processes, budget=self.budget,
        )
        found = yield from start.learn(sequences, units, description, deadline, checkpointing)
        fitted = FittedLanguage(
            description.without_paths(), units, found.model, getattr(texts, "documents", ROWS),
            getattr(texts, "columns", UNNAMED), start.network,
        )
        told = f"tokens: {units.name}, a vocabulary of {len(units):,} ({start.why})"
        self.fit_report_ = LanguageReport(
            *cost(), found.model.parameters, found.workers, (told, *found.notes), found.cut_short,
            found.untrained,
        )
        return self._hold(fitted)

    def _hold(self, fitted: FittedLanguage) -> Self:
        self.fitted_, self.n_documents_in_ = fitted, fitted.description.rows
        return self

    @classmethod
    def from_fitted(cls, fitted: FittedLanguage) -> Self:
        """The estimator that holds a fitted language model, such as one from a folder."""
        description = fitted.description
        tokens = fitted.units.name if fitted.units.name in LEARN else None
        return cls(
            description.family, tokens=tokens, vocab_size=description.vocab_size,
            random_state=description.seed,
        )._hold(fitted)

    @classmethod
    def from_arpa(cls, path: str | Path) -> Self:
        """N-grams that KenLM, SRILM or another program has written as ARPA; texts are cut at blanks as they stand.

        A word that is not among theirs is one token, so that bits per byte are comparable only as far as there are few.
        DataError with the line for what is no such file.
        """
        model, units = read_arpa(path)
        family = KneserNey(order=len(model.orders))
        return cls.from_fitted(FittedLanguage(FitDescription(cls.task, family, LanguageTraining(), 0, 0), units, model))

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Self:
        """A GPT-2 or Llama in the layout of Hugging Face, a folder or a name on its hub, as it is.

        Every document is read behind the token that begins texts, with GPT-2 the one that also ends them.
        StorageError or UnsafeFolderError for a folder that is incomplete, or of something else.
        """
        return cls.from_fitted(as_it_is(str(source), cls.task))

    def evaluate(self, texts: Iterable[str]) -> LanguageScore:
        """Bits per byte of documents with the interval over them, nats and perplexity a token, and the rules.

        UsageError where there is no document.
        """
        fitted, texts = self.check_fitted(), check_documents(texts)
        sequences = fitted.encode(texts)
        documents = getattr(texts, "documents", ROWS)
        return language_score(
            _of_documents(fitted, sequences), document_sizes(texts, documents), len(sequences.ids) - len(sequences),
            fitted.signature(documents),
        )

    def score(self, texts: Iterable[str], y: Any = None) -> float:
        """Minus the bits per byte, so that more is better, as scikit-learn has it."""
        return -self.evaluate(texts).bits_per_byte

    def bits(self, texts: Iterable[str]) -> NDArray:
        """The bits that each text takes, with its end, (N,)."""
        fitted = self.check_fitted()
        return _of_documents(fitted, fitted.encode(check_documents(texts)))

    def predict(self, texts: Iterable[str]) -> NDArray:
        """The bits per byte of each text, (N,): the higher, the less it is like the training texts.

        The bytes are those of the text in UTF-8 and one for its end.
        """
        texts = check_documents(texts)
        return self.bits(texts) / np.maximum(document_sizes(texts, ROWS), 1)

    def surprisal(self, texts: Iterable[str]) -> list[Surprisal]:
        """The bits that every token of each text took, after all before it in its text."""
        fitted = self.check_fitted()
        sequences = fitted.encode(check_documents(texts))
        bits, found = fitted.bits(sequences), []
        for begin, length in zip(sequences.starts.tolist(), sequences.lengths.tolist(), strict=True):
            read = slice(begin + 1, begin + length)
            found.append(Surprisal(fitted.units.shown(sequences.ids[read].tolist()), bits[read]))
        return found

    def generate(
        self, prompt: Any = "", max_tokens: int = MAX_TOKENS, *, temperature: float = 1.0, top_k: int | None = None,
        top_p: float | None = None, min_p: float | None = None, repetition_penalty: float | None = None,
        stop: Sequence[str] = (), random_state: Any = 0,
    ) -> Any:
        """Text that goes on after ``prompt``, without it: one for a text, a list for a list of texts.

        A text ends with its document, before the first of the texts ``stop``, or after ``max_tokens``.  The penalty,
        the temperature (0 takes the likeliest), ``top_k``, ``top_p`` and ``min_p`` are applied in this order, that of
        ``transformers``.  With one seed a prompt is gone on with alone as among others; equal prompts differ.
        UsageError for options out of their bounds.
        """
        prompts = [prompt] if isinstance(prompt, str) else list(check_documents(prompt))
        written = [""] * len(prompts)
        for number, text in self.generating(
            prompts, max_tokens, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p,
            repetition_penalty=repetition_penalty, stop=stop, random_state=random_state,
        ):
            written[number] += text
        return written[0] if isinstance(prompt, str) else written

    def generating(
        self, prompts: Sequence[str], max_tokens: int = MAX_TOKENS, *, temperature: float = 1.0,
        top_k: int | None = None, top_p: float | None = None, min_p: float | None = None,
        repetition_penalty: float | None = None, stop: Sequence[str] = (), random_state: Any = 0,
    ) -> Iterator[tuple[int, str]]:
        """The same as :meth:`generate`, as it comes: the number of a prompt, and some more of its text."""
        how = sampling(temperature, top_k, top_p, min_p, repetition_penalty)
        written = self.writing(prompts, how, max_tokens, stop, seed_from(random_state))
        return ((each.prompt, each.text) for each in written if each.text)

    def writing(
        self, prompts: Sequence[str], how: "Sampling", max_tokens: int, stop: Sequence[str], seed: int
    ) -> "Iterator[Written]":
        """What is written after each prompt, token by token, and why it ends."""
        written: Iterator[Written] = written_by(self.check_fitted(), prompts, how, max_tokens, stop, seed)
        return written

    def coverage(self, texts: Iterable[str]) -> NDArray:
        """Tokens of each text that stand in the vocabulary, not spelled in bytes, and tokens there are, (N, 2)."""
        fitted = self.check_fitted()
        sequences = fitted.encode(check_documents(texts))
        spelled = _sums(fitted.units.is_spelled(sequences.ids[:]).astype(np.int64), sequences)
        return np.stack([sequences.lengths - 1 - spelled, sequences.lengths - 1], axis=1)

    def save(self, folder: str | Path) -> None:
        """Write a model folder, or over an older one; see :func:`scansion.load`."""
        save_language(self.check_fitted(), Path(folder))

    def check_fitted(self) -> FittedLanguage:
        """What was learned; NotFittedError if nothing was."""
        if not hasattr(self, "fitted_"):
            raise NotFittedError("This LanguageModel has learned nothing yet. Call fit(texts) first.")
        return self.fitted_


def _of_documents(fitted: FittedLanguage, sequences: Sequences) -> NDArray:
    return _sums(fitted.bits(sequences), sequences)


def _sums(values: NDArray, sequences: Sequences) -> NDArray:
    """Of the values of all tokens, the sum over each document (N,)."""
    return np.add.reduceat(values, sequences.starts) if len(sequences) else np.zeros(0, values.dtype)
