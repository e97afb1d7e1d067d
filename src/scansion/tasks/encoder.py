"""``scansion.pretrain``: an encoder of one's own, from plain texts, for whoever takes pretrained weights."""

import json
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from scansion.errors import DataError, UsageError
from scansion.families.bert import Bert
from scansion.families.bert_layout import as_bert
from scansion.families.catalogue import ENCODERS
from scansion.learning.budget import seconds_of
from scansion.learning.checkpointing import Checkpointing
from scansion.learning.description import FitDescription
from scansion.learning.document_job import Start
from scansion.learning.document_network import cut_windows
from scansion.learning.events import Event, Stage, finished
from scansion.learning.job import TrainedWeights
from scansion.learning.pretraining import PretrainingJob, encoder_weights, split_texts
from scansion.learning.training import Pretraining
from scansion.learning.workers import machine, run_job
from scansion.randomness import seed_from
from scansion.storage.fingerprints import fingerprint_of
from scansion.storage.huggingface_layout import FILES, write_layout
from scansion.storage.limits import CONFIG
from scansion.tasks.task import OF_FILES, Dataset, FitRequest, ReadOptions, Summary, Task
from scansion.text.documents import check_documents, read_documents
from scansion.text.pretrained_tokenizer import PretrainedTokenizer
from scansion.viewer.number_format import counted

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCAB_SIZE = 10_000
FEWEST_TEXTS = 20
OWN_SIZES = Bert(width=128, heads=4, layers=2, feed_forward=512, dropout=0.0)


@dataclass(frozen=True)
class PretrainedEncoder:
    """An encoder that has learned from texts without answers."""

    bert: Bert
    weights: dict[str, np.ndarray]
    tokenizer: PretrainedTokenizer
    trained: TrainedWeights

    @property
    def parameters(self) -> int:
        """Weights of the network."""
        return sum(array.size for array in self.weights.values())

    def save(self, folder: str | Path) -> None:
        """A folder in the Hugging Face layout, which ``Pretrained(folder)`` and ``--from`` take.

        StorageError for a place that is taken by anything else.
        """
        config, tensors = as_bert(self.bert, self.weights)
        write_layout(Path(folder), config, tensors, self.tokenizer.description)


def pretraining(
    texts: Iterable[str], family: Bert = OWN_SIZES, *, vocab_size: int = VOCAB_SIZE,
    training: Pretraining = Pretraining(),  # noqa: B008
    budget: float | str | None = None, processes: int | None = None, random_state: Any = None,
    checkpointing: Checkpointing | None = None,
) -> Generator[Event, None, PretrainedEncoder]:
    """An encoder of the given sizes that has guessed masked subwords of the texts (Devlin et al. 2019, section 3.1).

    ``texts`` is anything that can be read twice; ``vocab_size`` bounds its subwords; ``budget`` bounds the training;
    with ``checkpointing`` the run can be stopped and gone on with.  A generator of what happens, which returns the
    encoder; ``scansion.pretrain`` is the same as a plain function.
    DataError for fewer texts than something can be learned from.
    """
    deadline, seed = time.monotonic() + seconds_of(budget), seed_from(random_state)
    texts = check_documents(texts)
    yield Stage("learning subwords")
    tokenizer = PretrainedTokenizer(_learned_tokenizer(texts, vocab_size))
    sequences, _ = cut_windows(tokenizer.encode(texts), family.max_length)
    if len(sequences) < FEWEST_TEXTS:
        raise DataError(f"There are {len(sequences)} texts; an encoder needs {FEWEST_TEXTS}, and many more to be good.")
    read, held_out = split_texts(sequences, training, seed)
    description = FitDescription(
        ENCODER.name, family, training, seed, len(sequences), {"texts": fingerprint_of(texts)}, vocab_size=vocab_size,
        processes=processes, budget=budget,
    )
    job = PretrainingJob(
        description, Start(len(tokenizer)), read, held_out, SPECIAL.index("[MASK]"), len(SPECIAL)
    )
    checkpoints = None
    if checkpointing is not None:
        checkpoints = checkpointing.begin(description.to_run(machine()), description.title)
        yield from checkpointing.remarks()
    trained = yield from run_job(job, deadline, checkpoints)
    return PretrainedEncoder(family, encoder_weights(trained.weights), tokenizer, trained)


pretrain = finished(pretraining)


def _learned_tokenizer(texts: Iterable[str], most: int) -> bytes:
    """Byte-pair encoding over bytes, case folded, in the format of the ``tokenizers`` library."""
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=most, min_frequency=2, special_tokens=list(SPECIAL), show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator((text.encode("utf-8", "replace").decode() for text in texts), trainer)
    begin, end = SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", begin), ("[SEP]", end)]
    )
    return json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False).encode()


# The task


def read_texts(paths: Sequence[str], options: ReadOptions) -> Dataset:
    """Texts without answers: a table's if its columns can be told apart, else plain lines."""
    documents = read_documents(
        paths[0], text=options.text, with_target=False, remembered=options.remembered, file=options.file
    )
    count = counted(len(documents), "document")
    remark = f"{documents.name}: {count} without answers, to pretrain on. {documents.reason}"
    return Dataset(ENCODER.name, documents.name, documents.texts, None, len(documents), (remark,))


def configuration(name: str | None) -> Any:
    """The sizes of an encoder."""
    if name is not None:
        raise UsageError("--family does not go with texts without answers (task: encoder). Leave it out.")
    return OWN_SIZES


def fit(data: Dataset, request: FitRequest) -> Generator[Event, None, PretrainedEncoder]:
    """An encoder of the texts."""
    arguments = request.arguments
    return pretraining(
        data.inputs, request.family, budget=arguments["budget"], processes=arguments["processes"],
        random_state=arguments["random_state"], checkpointing=request.checkpointing,
    )


def report_of_fit(encoder: PretrainedEncoder, place: str) -> Summary:
    """What a fit has come to."""
    trained = encoder.trained
    return Summary(
        {"model": place, "task": ENCODER.name, "parameters": encoder.parameters, "steps": trained.steps,
         "tokens": trained.tokens},
        (f"{place}: encoder, {encoder.parameters:,} parameters. Use it: scansion fit DATA --family pretrained --from "
         f"{place} --out MODEL",),
        (f"{trained.ended}; {trained.steps:,} steps over {trained.tokens:,} tokens",),
    )


ENCODER = Task(
    "encoder", "texts without answers", 1, ENCODERS, {"fit": OF_FILES | {"--text", "--task"}}, frozenset(),
    read_texts, configuration, fit, report_of_fit, frozenset(FILES), CONFIG,
)
