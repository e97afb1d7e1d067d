"""Translator: a text in one language -> the text in another, by any family that reads and writes.

It follows scikit-learn as far as that goes for pairs of texts: the constructor stores its arguments untouched, ``fit``
validates and returns ``self``, what was learned ends in an underscore.
"""

import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from scansion.errors import NotFittedError, UsageError
from scansion.families.catalogue import TRANSLATION_FAMILIES, configured
from scansion.inspection.translation_attention import TranslationAttention, attention_of
from scansion.inspection.translation_page import look_at_translation
from scansion.learning.budget import seconds_of
from scansion.learning.checkpointing import Checkpointing
from scansion.learning.description import FitDescription
from scansion.learning.events import Event, Stage
from scansion.learning.seq2seq import build_seq2seq, negative_log_likelihoods, with_weights
from scansion.learning.seq2seq_job import Seq2SeqJob
from scansion.learning.training import Training, TranslationTraining
from scansion.learning.workers import machine, run_job
from scansion.measures.bleu import bleu_counts, bleu_of
from scansion.models.native_translator import NativeTranslator
from scansion.models.translation_engine import checked_beam
from scansion.models.translation_folder import save_translator
from scansion.models.translation_model import FittedTranslator
from scansion.processors import cost_from_now
from scansion.randomness import seed_from, stream
from scansion.storage.fingerprints import fingerprint_of
from scansion.tasks.estimator import Estimator
from scansion.text.documents import check_documents
from scansion.text.pairs import Pairs, is_empty
from scansion.text.subword_tokenizer import VOCAB_SIZE, SubwordTokenizer
from scansion.viewer.number_format import cost_shown
from scansion.viewer.translation_look import TranslationLook


@dataclass(frozen=True)
class TranslationReport:
    """What a fit did and what it cost."""

    seconds: float
    """Of a run that was gone on with, those since then."""
    processor_seconds: float
    """What processors worked in that time, for this process and for those that it started."""
    parameters: int
    workers: int
    """Processes beside the caller's own that trained it."""
    perplexity: float
    """Of a held-out target's token, at the epoch whose weights were kept."""
    notes: tuple[str, ...]
    cut_short: bool
    """Whether the budget was spent before all was learned."""
    untrained: str
    """How far it came if the budget was spent before enough was read for a score; else empty."""

    @property
    def cost(self) -> str:
        """``12.0 s, 21 processor seconds``."""
        return cost_shown(self.seconds, self.processor_seconds)


@dataclass(frozen=True)
class Translation:
    """A translation, its log-probability, and the score hypotheses are ranked by: that a token, the end included."""

    text: str
    log_probability: float
    score: float


class Translator(Estimator):
    """Texts -> texts.

    Parameters: ``family`` is a name in ``scansion.TRANSLATION_FAMILIES`` or a configuration such as
    ``scansion.TransformerEncoderDecoder(layers=6)``.  ``vocab_size`` is how many subwords both languages share at most.
    ``budget`` bounds the whole fit (``90`` seconds, ``"5m"``); what is under way when it is spent is finished.
    ``processes`` None takes two one-thread processes when a run is long enough to repay their start.

    Attributes: ``n_pairs_in_``, pairs it was fitted on; ``fit_report_``, what the fit cost and its validation
    perplexity; ``fitted_``, all that was learned, a frozen value.
    """

    task = "translate"

    def __init__(
        self,
        family: Any = "transformer",
        *,
        vocab_size: int = VOCAB_SIZE,
        budget: float | str | None = None,
        training: TranslationTraining = TranslationTraining(),  # noqa: B008
        processes: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.family = family
        self.vocab_size = vocab_size
        self.budget = budget
        self.training = training
        self.processes = processes
        self.random_state = random_state

    def fit(self, sources: Iterable[str], targets: Iterable[str], validation: Any = None) -> Self:
        """Learn from N texts and their N translations; returns ``self``.

        ``validation`` is a pair of such lists to choose the epoch on; without it some pairs are held out.
        UsageError for arguments that do not fit together, DataError for a text that is too long.
        """
        for _ in self.fitting(sources, targets, validation):
            pass
        return self

    def fitting(
        self, sources: Iterable[str], targets: Iterable[str], validation: Any = None,
        checkpointing: Checkpointing | None = None,
    ) -> Generator[Event, None, Self]:
        """The same as :meth:`fit`, as a generator of what happens: progress is an ordinary ``for`` around it.

        With ``checkpointing`` the run can be stopped and gone on with; InterruptedRunError when it was stopped.
        """
        cost, deadline = cost_from_now(), time.monotonic() + seconds_of(self.budget)
        family, seed = configured(self.family, TRANSLATION_FAMILIES), seed_from(self.random_state)
        sources, targets = check_documents(sources), check_documents(targets)
        yield Stage("learning subwords")
        tokenizer = SubwordTokenizer.learn(Both(sources, targets), self.vocab_size)
        yield Stage("writing texts as subwords")
        pairs = _pairs(tokenizer, sources, targets)
        found = {"texts": fingerprint_of(Both(sources, targets))}
        if validation is None:
            pairs, held_out = _held_out(pairs, self.training, seed)
        else:
            valid = check_documents(validation[0]), check_documents(validation[1])
            held_out, found["validation"] = _pairs(tokenizer, *valid), fingerprint_of(Both(*valid))
        for part in (pairs, held_out):
            part.check_lengths(family.max_length)
        description = FitDescription(
            self.task, family, self.training, seed, len(pairs), found, vocab_size=self.vocab_size,
            processes=self.processes, budget=self.budget,
        )
        job, checkpoints = Seq2SeqJob(description, len(tokenizer), pairs, held_out), None
        if checkpointing is not None:
            checkpoints = checkpointing.begin(description.to_run(machine()), description.title)
            yield from checkpointing.remarks()
        trained = yield from run_job(job, deadline, checkpoints)
        model = build_seq2seq(family, len(tokenizer), self.training.label_smoothing, seed)
        fitted = FittedTranslator(description, with_weights(model, trained.weights), tokenizer)
        self.fit_report_ = TranslationReport(
            *cost(), fitted.parameters, trained.workers,
            float(np.exp(negative_log_likelihoods(fitted.model, held_out).sum() / held_out.target.lengths.sum())),
            (f"{trained.ended}; kept the weights of epoch {trained.epoch} of {trained.epochs}; "
             f"{trained.steps:,} steps",),
            trained.cut_short, trained.untrained,
        )
        return self._hold(fitted)

    def _hold(self, fitted: FittedTranslator) -> Self:
        self.fitted_, self.n_pairs_in_ = fitted, fitted.description.rows
        return self

    @classmethod
    def from_fitted(cls, fitted: FittedTranslator) -> Self:
        """The estimator that holds a fitted translator, such as one from a folder."""
        description = fitted.description
        return cls(
            description.family, vocab_size=description.vocab_size or VOCAB_SIZE, training=description.training,
            random_state=description.seed,
        )._hold(fitted)

    def predict(self, sources: Iterable[str], beam: int | None = None) -> list[str]:
        """The best translation of each text, in the order given, by a beam of so many hypotheses, by default 5.

        Of an empty text, and of one without a visible character, it is empty.  UsageError for a beam below 1.
        """
        return NativeTranslator(self.check_fitted()).predict(check_documents(sources), beam)

    def translate(self, text: str, beam: int | None = None, alternatives: int = 1) -> list[Translation]:
        """The best translations of one text, best first; of an empty text one, which is empty.

        UsageError for more of them than the beam holds.
        """
        beam = checked_beam(beam)
        if not 1 <= alternatives <= beam:
            raise UsageError(f"A beam of {beam} holds 1 to {beam} alternatives; got {alternatives}. Widen the beam.")
        fitted = self.check_fitted()
        if is_empty(text):
            pairs = _pairs(fitted.tokenizer, [""], [""])
            log_probability = -float(negative_log_likelihoods(fitted.model, pairs)[0])
            return [Translation("", log_probability, log_probability)]
        (found,) = NativeTranslator(fitted).hypotheses(fitted.tokenizer.encode([text]), beam, alternatives)
        texts = fitted.tokenizer.decode([each.tokens for each in found])
        return [
            Translation(text, each.log_probability, each.score) for text, each in zip(texts, found, strict=True)
        ]

    def attention(self, source: str, target: str | None = None) -> TranslationAttention:
        """What every head looks at while ``target`` is written for ``source``, by default the best translation.

        UsageError for a family that does not attend.
        """
        return attention_of(self.check_fitted(), source, self._best(source) if target is None else target)

    def look(self, source: str, target: str | None = None) -> TranslationLook:
        """What the model does while it writes ``target`` for ``source``, by default the best translation."""
        return look_at_translation(self.check_fitted(), source, self._best(source) if target is None else target)

    def sample(
        self, sources: Iterable[str], temperature: float = 1.0, top_k: int | None = None, random_state: Any = 0
    ) -> list[str]:
        """A translation of each text drawn at random, as probable as the model holds it to be.

        ``temperature`` below 1 sharpens the distribution; ``top_k`` leaves so many tokens to choose from.  Of an
        empty text the translation is empty.  UsageError for a temperature or a ``top_k`` that is not above 0.
        """
        native = NativeTranslator(self.check_fitted())
        return native.sample(check_documents(sources), temperature, top_k, seed_from(random_state))

    def score(self, sources: Iterable[str], targets: Iterable[str], tokenize: str = "13a") -> float:
        """BLEU from 0 to 100, as sacreBLEU computes it."""
        found = self.predict(sources)
        return float(bleu_of(bleu_counts(found, list(check_documents(targets)), tokenize).sum(axis=0)))

    def coverage(self, sources: Iterable[str]) -> np.ndarray:
        """Subwords read and subwords there of each text, (N, 2): all of them, or ``predict`` refuses."""
        lengths = self.check_fitted().tokenizer.encode(check_documents(sources)).lengths
        return np.stack([lengths, lengths], axis=1)

    def save(self, folder: str | Path) -> None:
        """Write a model folder, or over an older one; see :func:`scansion.load`."""
        save_translator(self.check_fitted(), Path(folder))

    def check_fitted(self) -> FittedTranslator:
        """What was learned; NotFittedError if nothing was."""
        if not hasattr(self, "fitted_"):
            raise NotFittedError("This Translator has no model yet. Call fit(sources, targets) first.")
        return self.fitted_

    def _best(self, source: str) -> str:
        return self.translate(source)[0].text


@dataclass(frozen=True)
class Both:
    """Sources, then targets; can be read as often as they can."""

    sources: Iterable[str]
    targets: Iterable[str]

    def __iter__(self) -> Iterator[str]:
        yield from self.sources
        yield from self.targets


def _pairs(tokenizer: SubwordTokenizer, sources: Iterable[str], targets: Iterable[str]) -> Pairs:
    pairs = Pairs(tokenizer.encode(sources), tokenizer.encode(targets))
    if len(pairs.source) != len(pairs.target) or not len(pairs):
        raise UsageError(
            f"There are {len(pairs.source):,} sources and {len(pairs.target):,} targets; give one of each a row."
        )
    return pairs


def _held_out(pairs: Pairs, training: Training, seed: int) -> tuple[Pairs, Pairs]:
    """The pairs to learn from, and those held out to choose the epoch."""
    order = stream(seed, "held-out pairs").permutation(len(pairs))
    most = min(training.max_validation_rows, len(pairs) - 1)
    count = min(max(1, round(training.validation_fraction * len(pairs))), most) or 1
    return pairs.only(np.sort(order[count:] if len(pairs) > 1 else order)), pairs.only(np.sort(order[:count]))
