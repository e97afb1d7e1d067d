"""Fitting where features are learned together with their head, by the one loop."""

import time
from collections.abc import Generator
from dataclasses import replace

import numpy as np

from scansion.learning.checkpointing import Checkpointing
from scansion.learning.checkpoints import Checkpoints
from scansion.learning.description import FitDescription
from scansion.learning.document_job import DocumentJob, Examples, Start
from scansion.learning.document_network import cut_windows
from scansion.learning.events import Event, Remark
from scansion.learning.folds import fold_rows
from scansion.learning.job import TrainedWeights
from scansion.learning.pretraining import PretrainingJob, encoder_weights, split_texts
from scansion.learning.recalibration import refit_intercept, refit_slope
from scansion.learning.training import Pretraining
from scansion.learning.workers import machine, run_job
from scansion.models.network_models import EncoderModel, FineTunedModel, fine_tuned_encoder, trained_encoder
from scansion.models.pretrained_encoder import PretrainedDocuments
from scansion.tasks.training_data import FitResult, TrainingData
from scansion.text.batches import Sequences
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import Corpus

FEWEST_ROWS_TO_SPARE = 20
NOISE = ("dropout", "embedding_dropout", "word_dropout")


def fit_network(
    data: TrainingData, description: FitDescription, deadline: float, checkpointing: Checkpointing | None
) -> Generator[Event, None, FitResult]:
    """A family that reads words; if it is so described, it first learns from all texts without their answers."""
    corpus: Corpus = data.documents
    before, checkpoints = begun(description, checkpointing)
    if checkpointing is not None:
        yield from checkpointing.remarks()
    vocabulary = Vocabulary.learn(corpus)
    notes: tuple[str, ...] = ()
    unread = ""
    sequences = vocabulary.encode(corpus)
    start = Start(len(vocabulary), len(vocabulary.char_ngrams), vocabulary.index(corpus.types))
    if description.pretraining is not None:
        yield Remark("first from all texts, without their answers:")
        learned = yield from _pretrain(description, description.pretraining, sequences, start, deadline, before)
        start, notes = replace(start, weights=encoder_weights(learned.weights)), (_pretrained(learned, sequences),)
        unread = learned.untrained and f"of its pretraining, {learned.untrained}"
        yield Remark("then from the texts that have answers:")
    job, held, note = document_job(data, description, sequences, start)
    trained = yield from run_job(job, deadline, checkpoints)
    model = trained_encoder(description.family, description.head, trained.weights, vocabulary)
    result = finished(model, job, trained, held, (*notes, note))
    return replace(result, untrained=unread or result.untrained)


def fit_fine_tuned(
    data: TrainingData, description: FitDescription, deadline: float, checkpointing: Checkpointing | None, reason: str
) -> Generator[Event, None, FitResult]:
    """A pretrained encoder, trained on with its head; ``reason`` says why it is fine-tuned."""
    documents: PretrainedDocuments = data.documents
    _, checkpoints = begun(description, checkpointing)
    if checkpointing is not None:
        yield from checkpointing.remarks()
    family = description.family
    bert = replace(
        documents.bert, dropout=family.dropout, learning_rate=family.learning_rate, lr_scale=family.encoder_lr_scale,
        layer_decay=family.layer_decay,
    )
    start = Start(documents.words, weights=documents.weights)
    job, held, note = document_job(data, replace(description, family=bert), documents.sequences, start)
    trained = yield from run_job(job, deadline, checkpoints)
    model = fine_tuned_encoder(bert, documents.words, description.head, trained.weights, documents.tokenizer)
    return finished(model, job, trained, held, (reason, note))


def begun(
    description: FitDescription, checkpointing: Checkpointing | None
) -> tuple[Checkpoints | None, Checkpoints | None]:
    """Where a pretraining and the run itself are kept, if they are."""
    if checkpointing is None:
        return None, None
    described, before = description.to_run(machine()), None
    if description.pretraining is not None:
        before = checkpointing.begin(described, description.title, before="pretraining")
    return before, checkpointing.begin(described, description.title)


def document_job(
    data: TrainingData, description: FitDescription, sequences: Sequences, start: Start
) -> tuple[DocumentJob, np.ndarray, str]:
    """The job of training on all rows but some, the held-out rows (M,), and a note on them."""
    targets, training = data.targets, description.training
    rows = np.arange(len(targets))
    if len(rows) < FEWEST_ROWS_TO_SPARE:
        held, note = rows[:0], "too few rows to keep any back; the epoch was chosen on the training rows"
    else:
        share = min(training.validation_fraction, training.max_validation_rows / len(rows))
        held = fold_rows(description.head, targets, round(1 / share), description.seed)[0]
        note = f"{len(held):,} of {len(rows):,} rows kept back to choose the epoch"
    kept = np.setdiff1d(rows, held)
    everything = Examples(sequences.only(rows), targets, data.weights)
    validation = everything.only(held if len(held) else kept)
    return DocumentJob(description, start, everything.only(kept), validation), held, note


def finished(
    model: EncoderModel | FineTunedModel, job: DocumentJob, trained: TrainedWeights, held: np.ndarray,
    notes: tuple[str, ...],
) -> FitResult:
    """The trained model, recalibrated."""
    refit_intercept(model.network, job)
    if len(held):
        refit_slope(model.network, job)
    kept = (
        f"{trained.ended}; kept the weights of epoch {trained.epoch} of {trained.epochs}, the latest that is not "
        f"clearly worse on held-out rows; {trained.steps:,} steps"
    )
    size = job.description.head.size
    logits = job.logits(model.network, job.held_out.sequences) if len(held) else np.zeros((0, size))
    return FitResult(model, held, logits, (*notes, kept), trained.cut_short, trained.workers, trained.untrained)


def _pretrain(
    description: FitDescription, pretraining: Pretraining, sequences: Sequences, start: Start, deadline: float,
    checkpoints: Checkpoints | None,
) -> Generator[Event, None, TrainedWeights]:
    """A network learns from all texts; half of what is left of a budget is for it."""
    windows, _ = cut_windows(sequences, description.family.max_length)
    texts, held_out = split_texts(windows, pretraining, description.seed)
    # nothing is dropped but the words to guess: there is no answer to overfit on
    quiet = replace(description.family, **{name: 0.0 for name in NOISE if hasattr(description.family, name)})
    before = replace(description, family=quiet, training=pretraining)
    job = PretrainingJob(before, start, texts, held_out)
    now = time.monotonic()
    return (yield from run_job(job, now + (deadline - now) / 2, checkpoints))


def _pretrained(learned: TrainedWeights, sequences: Sequences) -> str:
    return (
        f"pretrained on {len(sequences):,} texts without their answers: {learned.steps:,} steps, epoch "
        f"{learned.epoch} of {learned.epochs}; {learned.ended}"
    )
