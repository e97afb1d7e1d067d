"""Translator: a text in one language -> the text in another, by any family that reads and writes.

It follows scikit-learn as far as that goes for pairs of texts: the constructor stores its arguments untouched, ``fit``
validates and returns ``self``, what was learned ends in an underscore.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator

from scansion.decoding.beam import BEAM
from scansion.engines.native import Native
from scansion.errors import NotFittedError, UsageError
from scansion.families.catalogue import WritingFamily, name_of, writer_from
from scansion.learning.budget import seconds_of
from scansion.learning.counted import Remark, Stage
from scansion.learning.gradient import Step, Training
from scansion.learning.parallel import cores, processes_for
from scansion.learning.run import BUDGET_SPENT, Epoch, Learned
from scansion.learning.writer import Writer, WriterTraining, build_writer, restored, surprises
from scansion.learning.writers import WriterJob
from scansion.measures.translation import bleu_counts, bleu_of
from scansion.randomness import seed_from, stream
from scansion.storage.fingerprints import fingerprint_of
from scansion.storage.manifest import library_versions
from scansion.storage.schema import to_json
from scansion.tasks.attention import TranslationAttention, attention_of
from scansion.tasks.keeping import Keeping, learn_kept
from scansion.tasks.looking_translation import look_at_translation
from scansion.tasks.saving_translation import save_translator
from scansion.text.documents import check_documents
from scansion.text.pairs import Pairs
from scansion.text.subwords import MOST_PIECES, Subwords
from scansion.viewer.translation_look import TranslationLook


@dataclass(frozen=True)
class TranslationReport:
    """What a fit did and what it cost."""

    seconds: float
    """Of a run that was gone on with, those since then."""
    parameters: int
    workers: int
    """Processes beside the caller's own that trained it."""
    perplexity: float
    """Of a held-out target's token, at the epoch whose weights were kept."""
    notes: tuple[str, ...]
    cut_short: bool
    """Whether the budget was spent before all was learned."""


@dataclass(frozen=True)
class Translation:
    """A translation, its log-probability, and the score hypotheses are ranked by: that a token, the end included."""

    text: str
    log_probability: float
    score: float


class Translator(BaseEstimator):
    """Texts -> texts.

    ``family`` is a name in ``WRITERS`` or a configuration such as ``scansion.TransformerEncoderDecoder(layers=6)``.
    ``pieces`` is how many sub-words both languages share at most.  ``budget`` bounds the whole fit (``90``, ``"5m"``);
    what is under way when it is spent is finished.
    """

    def __init__(
        self,
        family: str | WritingFamily = "transformer",
        *,
        pieces: int = MOST_PIECES,
        budget: float | str | None = None,
        training: WriterTraining = WriterTraining(),  # noqa: B008
        processes: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.family = family
        self.pieces = pieces
        self.budget = budget
        self.training = training
        self.processes = processes
        self.random_state = random_state

    def fit(self, sources: Iterable[str], targets: Iterable[str], validation: Any = None) -> Self:
        """Learn from texts and their translations; ``validation`` is a pair of such lists to choose the epoch on.

        UsageError for arguments that do not fit together.
        """
        for _ in self.fitting(sources, targets, validation):
            pass
        return self

    def fitting(
        self, sources: Iterable[str], targets: Iterable[str], validation: Any = None, keeping: Keeping | None = None
    ) -> Iterator[Stage | Remark | Step | Epoch]:
        """The same as :meth:`fit`, as a generator of what happens: progress is an ordinary ``for`` around it.

        With ``keeping`` the run can be stopped and gone on with; InterruptedRunError when it was stopped.
        """
        begun = time.monotonic()
        deadline = begun + seconds_of(self.budget)
        family, seed = writer_from(self.family), seed_from(self.random_state)
        sources, targets = check_documents(sources), check_documents(targets)
        yield Stage("learning sub-words")
        subwords = Subwords.learn(Both(sources, targets), self.pieces)
        yield Stage("writing texts as sub-words")
        pairs = _pairs(subwords, sources, targets)
        if validation is None:
            pairs, held_out = _held_out(pairs, self.training, seed)
        else:
            held_out = _pairs(subwords, *map(check_documents, validation))
        for part in (pairs, held_out):
            part.check_lengths(family.longest)
        fingerprint = fingerprint_of(Both(sources, targets))
        job = WriterJob(family, len(subwords), self.training, seed, pairs, held_out)
        kept = None
        if keeping is not None:
            valid = None if validation is None else fingerprint_of(Both(*validation))
            kept = keeping.begin(self._described(job, fingerprint) | {"validation": valid})
            for remark in keeping.remarks():
                yield Remark(remark)
        tokens = int(job.lengths.sum())
        processes = processes_for(self.training, tokens) if self.processes is None else self.processes
        yield Stage(f"training on {tokens:,} tokens with {processes} process{'es' if processes > 1 else ''}")
        for event in learn_kept(processes, job, deadline, kept):
            if isinstance(event, Learned):
                learned = event
            else:
                yield event
        self.family_, self.seed_, self.subwords_ = family, seed, subwords
        self.writer_ = restored(build_writer(family, len(subwords), self.training, seed), learned.weights)
        self.n_pairs_in_, self.data_fingerprint_ = len(pairs), fingerprint
        self.fit_report_ = TranslationReport(
            time.monotonic() - begun, sum(each.numel() for each in self.writer_.parameters()),
            processes if processes > 1 else 0,
            float(np.exp(surprises(self.writer_, held_out).sum() / held_out.target.lengths.sum())),
            (f"{learned.ended}; kept the weights of epoch {learned.epoch} of {learned.epochs}; "
             f"{learned.steps:,} steps",),
            learned.ended == BUDGET_SPENT,
        )

    def predict(self, sources: Iterable[str], beam: int | None = None) -> list[str]:
        """The best translation of each text, in the order given; ``beam`` is ``BEAM`` unless given."""
        return Native(self.fitted_writer(), self.subwords_).predict(check_documents(sources), beam)

    def translate(self, text: str, beam: int = BEAM, alternatives: int = 1) -> list[Translation]:
        """The best translations of one text, best first; UsageError for more of them than the beam holds."""
        if not 1 <= alternatives <= beam:
            raise UsageError(f"A beam of {beam} holds 1 to {beam} alternatives; got {alternatives}. Widen the beam.")
        native, subwords = Native(self.fitted_writer(), self.subwords_), self.subwords_
        (found,) = native.hypotheses(subwords.encode([text]), beam, alternatives)
        texts = subwords.decode([each.tokens for each in found])
        return [
            Translation(text, each.log_probability, each.score) for text, each in zip(texts, found, strict=True)
        ]

    def attention(self, source: str, target: str | None = None) -> TranslationAttention:
        """What every head looks at while ``target`` is written for ``source``, by default the best translation.

        UsageError for a family that does not attend.
        """
        writer = self.fitted_writer()
        wanted = self.translate(source)[0].text if target is None else target
        return attention_of(writer, self.subwords_, source, wanted)

    def look(self, source: str, target: str | None = None) -> TranslationLook:
        """What the model does while it writes ``target`` for ``source``, by default the best translation."""
        writer = self.fitted_writer()
        wanted = self.translate(source)[0].text if target is None else target
        return look_at_translation(writer, self.subwords_, source, wanted, name_of(self.family_))

    def sample(
        self, sources: Iterable[str], temperature: float = 1.0, likeliest: int | None = None, random_state: Any = 0
    ) -> list[str]:
        """A translation of each text drawn at random, as probable as the model holds it to be.

        ``temperature`` below 1 sharpens the distribution; ``likeliest`` leaves so many tokens to choose from.
        """
        native = Native(self.fitted_writer(), self.subwords_)
        return native.sample(check_documents(sources), temperature, likeliest, seed_from(random_state))

    def score(self, sources: Iterable[str], targets: Iterable[str], tokenize: str = "13a") -> float:
        """BLEU from 0 to 100, as sacreBLEU computes it."""
        found = self.predict(sources)
        return float(bleu_of(bleu_counts(found, list(check_documents(targets)), tokenize).sum(axis=0)))

    def coverage(self, sources: Iterable[str]) -> np.ndarray:
        """Sub-words read and sub-words there of each text, (N, 2): all of them, or ``predict`` refuses."""
        lengths = self.subwords_.encode(check_documents(sources)).lengths
        return np.stack([lengths, lengths], axis=1)

    def save(self, folder: str | Path) -> None:
        """Write a model folder, or over an older one; see :func:`scansion.load`."""
        self.fitted_writer()
        save_translator(self, Path(folder))

    def _described(self, job: WriterJob, fingerprint: str) -> dict[str, Any]:
        """All that a fit is a function of, as JSON values."""
        return {
            "family": name_of(job.family), "options": to_json(job.family), "pieces": self.pieces,
            "training": to_json(self.training), "seed": job.seed, "processes": self.processes, "cores": cores(),
            "budget": self.budget, "threads": torch.get_num_threads(), "pairs": len(job.pairs),
            "held_out": len(job.held_out), "texts": fingerprint, "versions": library_versions(),
        }

    def fitted_writer(self) -> Writer:
        """The network that was learned; NotFittedError if none was."""
        if not hasattr(self, "writer_"):
            raise NotFittedError("This Translator has no model yet. Call fit(sources, targets) first.")
        return self.writer_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "writer_")


@dataclass(frozen=True)
class Both:
    """Sources, then targets; can be read as often as they can."""

    sources: Iterable[str]
    targets: Iterable[str]

    def __iter__(self) -> Iterator[str]:
        yield from self.sources
        yield from self.targets


def _pairs(subwords: Subwords, sources: Iterable[str], targets: Iterable[str]) -> Pairs:
    pairs = Pairs(subwords.encode(sources), subwords.encode(targets))
    if len(pairs.source) != len(pairs.target) or not len(pairs):
        raise UsageError(
            f"There are {len(pairs.source):,} sources and {len(pairs.target):,} targets; give one of each a row."
        )
    return pairs


def _held_out(pairs: Pairs, training: Training, seed: int) -> tuple[Pairs, Pairs]:
    """The pairs to learn from, and those kept back to choose the epoch."""
    order = stream(seed, "held-out pairs").permutation(len(pairs))
    count = min(max(1, round(training.held_out * len(pairs))), training.most_held_out, len(pairs) - 1) or 1
    return pairs.only(np.sort(order[count:] if len(pairs) > 1 else order)), pairs.only(np.sort(order[:count]))
