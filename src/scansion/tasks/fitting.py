"""From documents and answers to a model, by whichever of the two ways of learning the family takes."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from scansion.families.bert import Bert
from scansion.families.catalogue import Family, ReadingFamily
from scansion.families.pretrained import Pretrained
from scansion.heads.catalogue import Head
from scansion.learning.convex import Linear, fold_rows
from scansion.learning.counted import Counted, FixedVectors, Remark, Stage, learn_counted
from scansion.learning.frozen import FrozenVectors
from scansion.learning.gradient import Step, Training
from scansion.learning.intercept import refit_intercept
from scansion.learning.parallel import processes_for
from scansion.learning.pretraining import Pretraining, PretrainingJob, network_of, split_texts
from scansion.learning.reader import Examples, Reader, build_reader, cut_windows
from scansion.learning.readers import ReaderJob
from scansion.learning.run import BUDGET_SPENT, Epoch, Learned
from scansion.learning.spread import refit_spread
from scansion.tasks.borrowing import Borrowed, borrow, chosen_mode
from scansion.tasks.keeping import Kept, learn_kept
from scansion.tasks.models import CountedModel, FrozenModel, Model, ReadModel, TunedModel
from scansion.text.batches import Sequences
from scansion.text.borrowed import BorrowedTokens
from scansion.text.vocabulary import Spelling, Vocabulary
from scansion.text.words import Corpus, read_words

FEWEST_ROWS_TO_SPARE = 20
NOISE = ("dropout", "embedding_dropout", "word_dropout")

Documents = Corpus | Borrowed


@dataclass(frozen=True)
class Lesson:
    """What is to be learned, and with what means; a run is kept of what learns step by step.

    With ``pretraining`` the family first learns from all texts without their answers.
    """

    head: Head
    targets: np.ndarray
    weights: np.ndarray
    seed: int
    training: Training
    processes: int | None
    deadline: float
    kept: Kept | None = None
    pretraining: Pretraining | None = None
    pretraining_kept: Kept | None = None


@dataclass(frozen=True)
class Fitted:
    """A model, the rows it kept back with its scores for them, and what is worth saying."""

    model: Model
    held_out: np.ndarray
    held_out_scores: np.ndarray
    notes: tuple[str, ...]
    cut_short: bool
    workers: int = 0


def read_documents(family: Family, texts: Iterable[str]) -> Documents:
    """Texts as the family takes them: words, or the tokens that came with pretrained weights."""
    return borrow(family, texts) if isinstance(family, Pretrained) else read_words(texts)


def learn(family: Family, documents: Documents, lesson: Lesson) -> Iterator[Stage | Remark | Step | Epoch | Fitted]:
    """What happens, and at last the :class:`Fitted`."""
    if isinstance(documents, Borrowed):
        mode, reason = chosen_mode(family, documents, lesson.deadline)
        if mode == "frozen":
            vectors = FrozenVectors(documents.encoder())
            yield from _learn_fixed(
                vectors, documents.sequences, lesson, lambda linear: FrozenModel(vectors, linear, documents.tokens),
                reason,
            )
        else:
            yield from _learn_tuned(family, documents, lesson, reason)
    elif family.learner == "convex":
        vectors = family.build()
        yield from _learn_fixed(vectors, documents, lesson, lambda linear: CountedModel(vectors, linear))
    else:
        yield from _learn_from_words(family, documents, lesson)


def _learn_fixed(
    vectors: FixedVectors, documents: Corpus | Sequences, lesson: Lesson, model_of: Callable[[Linear], Model],
    note: str = "",
) -> Iterator[Stage | Fitted]:
    for event in learn_counted(
        vectors, lesson.head, documents, lesson.targets, lesson.weights, lesson.seed, lesson.deadline
    ):
        if isinstance(event, Counted):
            choice, linear = event.choice, event.linear
            chosen = f"strength of the linear head: {choice.strength:g} ({choice.reason})" if choice.held_out else ""
            notes = tuple(each for each in (note, chosen) if each)
            yield Fitted(model_of(linear), choice.rows, choice.scores, notes, choice.cut_short)
        else:
            yield event


def _learn_from_words(
    family: ReadingFamily, corpus: Corpus, lesson: Lesson
) -> Iterator[Stage | Remark | Step | Epoch | Fitted]:
    vocabulary = Vocabulary.learn(corpus)
    start = _Start(len(vocabulary), len(vocabulary.pieces), vocabulary.spell(corpus.types))
    sequences, notes = vocabulary.encode(corpus), ()
    if lesson.pretraining is not None:
        yield Remark("first from all texts, without their answers:")
        for event in _pretrain(family, sequences, start, lesson):
            if isinstance(event, Learned):
                start, notes = replace(start, weights=network_of(event.weights)), (_pretrained_note(event, sequences),)
            else:
                yield event
        yield Remark("then from the texts that have answers:")
    yield from _learn_reader(
        family, sequences, start, lesson,
        lambda weights: restore_reader(family, lesson.head, weights, vocabulary), notes,
    )


def _pretrain(
    family: ReadingFamily, sequences: Sequences, start: "_Start", lesson: Lesson
) -> Iterator[Stage | Remark | Step | Epoch | Learned]:
    """What happens while a network learns from all texts, and at last the :class:`Learned`; half of a budget is its."""
    training = lesson.pretraining
    windows, _ = cut_windows(sequences, family.longest)
    texts, held_out = split_texts(windows, training, lesson.seed)
    tokens = int(texts.lengths.sum())
    processes = processes_for(training, tokens) if lesson.processes is None else lesson.processes
    now = time.monotonic()
    # nothing is dropped but the words to guess: there is no answer to overfit on
    quiet = replace(family, **{name: 0.0 for name in NOISE if hasattr(family, name)})
    job = PretrainingJob(quiet, start.words, start.pieces, training, lesson.seed, start.spelling, texts, held_out)
    yield Stage(f"pretraining on {tokens:,} tokens with {processes} process{'es' if processes > 1 else ''}")
    yield from learn_kept(processes, job, now + (lesson.deadline - now) / 2, lesson.pretraining_kept)


def _pretrained_note(learned: Learned, sequences: Sequences) -> str:
    return (
        f"pretrained on {len(sequences):,} texts without their answers: {learned.steps:,} steps, epoch "
        f"{learned.epoch} of {learned.epochs}; {learned.ended}"
    )


def _learn_tuned(
    family: Pretrained, documents: Borrowed, lesson: Lesson, note: str
) -> Iterator[Stage | Remark | Step | Epoch | Fitted]:
    bert = replace(
        documents.bert, dropout=family.dropout, learning_rate=family.learning_rate, pace=family.pace,
        layer_decay=family.layer_decay,
    )
    start = _Start(documents.words, weights=documents.weights)
    yield from _learn_reader(
        bert, documents.sequences, start, lesson,
        lambda weights: restore_tuned(bert, documents.words, lesson.head, weights, documents.tokens), (note,),
    )


@dataclass(frozen=True)
class _Start:
    """What a reader is built from."""

    words: int
    pieces: int = 0
    spelling: Spelling | None = None
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)


def _learn_reader(
    family: ReadingFamily, sequences: Sequences, start: _Start, lesson: Lesson,
    model_of: Callable[[dict[str, np.ndarray]], ReadModel | TunedModel], notes: tuple[str, ...] = (),
) -> Iterator[Stage | Remark | Step | Epoch | Fitted]:
    head, targets, training = lesson.head, lesson.targets, lesson.training
    held, note = _held_out(head, targets, training, lesson.seed)
    kept = np.setdiff1d(np.arange(len(targets)), held) if len(held) else np.arange(len(targets))
    held_out = _examples(sequences, targets, lesson.weights, held if len(held) else kept)
    examples = _examples(sequences, targets, lesson.weights, kept)
    tokens = int(examples.sequences.lengths.sum())
    processes = processes_for(training, tokens) if lesson.processes is None else lesson.processes
    job = ReaderJob(
        family, head, start.words, start.pieces, training, lesson.seed, start.spelling, examples, held_out,
        start.weights,
    )
    yield Stage(f"training on {tokens:,} tokens with {processes} process{'es' if processes > 1 else ''}")
    learned = None
    for event in learn_kept(processes, job, lesson.deadline, lesson.kept):
        if isinstance(event, Learned):
            learned = event
        else:
            yield event
    model = model_of(learned.weights)
    refit_intercept(model.reader, job)
    if len(held):
        refit_spread(model.reader, job)
    kept = (
        f"kept the weights of epoch {learned.epoch} of {learned.epochs}, the latest that is not clearly worse on "
        f"held-out rows; {learned.steps:,} steps"
    )
    scores = job.scores(model.reader, job.held_out.sequences) if len(held) else np.zeros((0, head.size))
    workers = processes if processes > 1 else 0
    yield Fitted(
        model, held, scores, (*notes, note, f"{learned.ended}; {kept}"), learned.ended == BUDGET_SPENT, workers
    )


def restore_reader(
    family: ReadingFamily, head: Head, weights: Mapping[str, np.ndarray], vocabulary: Vocabulary
) -> ReadModel:
    """A reader with the given weights, ready to read."""
    words_beside = weights["scores.weight"].shape == (head.size, (family.pooling.parts + 1) * family.width)
    reader = build_reader(family, len(vocabulary), len(vocabulary.pieces), head, 0.0, 0, words_beside)
    return ReadModel(_restored(reader, weights), vocabulary, family.longest)


def restore_tuned(
    bert: Bert, words: int, head: Head, weights: Mapping[str, np.ndarray], tokens: BorrowedTokens
) -> TunedModel:
    """A fine-tuned encoder with the given weights, ready to read."""
    reader = build_reader(bert, words, 0, head, 0.0, 0, words_beside=False)
    return TunedModel(_restored(reader, weights), tokens, bert.longest)


def _restored(reader: Reader, weights: Mapping[str, np.ndarray]) -> Reader:
    reader.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return reader.eval()


def _held_out(head: Head, targets: np.ndarray, training: Training, seed: int) -> tuple[np.ndarray, str]:
    """The rows kept back to choose the epoch; none where there are too few to spare."""
    if len(targets) < FEWEST_ROWS_TO_SPARE:
        return np.zeros(0, np.int64), "too few rows to keep any back; the epoch was chosen on the training rows"
    share = min(training.held_out, training.most_held_out / len(targets))
    held = fold_rows(head, targets, round(1 / share), seed)[0]
    return held, f"{len(held):,} of {len(targets):,} rows kept back to choose the epoch"


def _examples(sequences: Sequences, targets: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> Examples:
    return Examples(sequences.only(rows), targets[rows], weights[rows])
