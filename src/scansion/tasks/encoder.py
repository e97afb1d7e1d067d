"""``scansion.pretrain``: an encoder of one's own, from plain texts, for whoever takes pretrained weights."""

import json
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from scansion.errors import DataError
from scansion.families.bert import Bert
from scansion.families.pretrained import as_bert
from scansion.learning.budget import seconds_of
from scansion.learning.counted import Remark, Stage
from scansion.learning.gradient import Step
from scansion.learning.parallel import processes_for
from scansion.learning.pretraining import Pretraining, PretrainingJob, network_of, split_texts
from scansion.learning.reader import cut_windows
from scansion.learning.run import Epoch, Learned
from scansion.randomness import seed_from
from scansion.storage.fingerprints import fingerprint_of
from scansion.storage.layout import write_layout
from scansion.storage.manifest import library_versions
from scansion.storage.schema import to_json
from scansion.tasks.keeping import Keeping, learn_kept
from scansion.text.borrowed import BorrowedTokens
from scansion.text.documents import check_documents

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MOST_PIECES = 10_000
FEWEST_TEXTS = 20
OWN_SIZES = Bert(width=128, heads=4, layers=2, feed_forward=512, dropout=0.0)


@dataclass(frozen=True)
class PretrainedEncoder:
    """An encoder that has learned from texts without answers."""

    bert: Bert
    weights: dict[str, np.ndarray]
    tokens: BorrowedTokens
    learned: Learned

    @property
    def parameters(self) -> int:
        """Weights of the network."""
        return sum(array.size for array in self.weights.values())

    def save(self, folder: str | Path) -> None:
        """A folder in the Hugging Face layout, which ``Pretrained(folder)`` and ``--from`` take.

        StorageError for a place that is taken by anything else.
        """
        config, tensors = as_bert(self.bert, self.weights)
        write_layout(Path(folder), config, tensors, self.tokens.description)


def pretrain(
    texts: Iterable[str], family: Bert = OWN_SIZES, *, pieces: int = MOST_PIECES,
    training: Pretraining = Pretraining(),  # noqa: B008
    budget: float | str | None = None, processes: int | None = None, random_state: Any = None,
) -> PretrainedEncoder:
    """An encoder of the given sizes that has guessed hidden pieces of the texts (Devlin et al. 2019, section 3.1).

    ``texts`` is anything that can be read twice; ``pieces`` bounds its vocabulary of sub-words; ``budget`` bounds the
    training.  DataError for fewer texts than something can be learned from.
    """
    events = pretraining(
        texts, family, pieces=pieces, training=training, budget=budget, processes=processes, random_state=random_state
    )
    while True:
        try:
            next(events)
        except StopIteration as done:
            return done.value


def pretraining(
    texts: Iterable[str], family: Bert = OWN_SIZES, *, pieces: int = MOST_PIECES,
    training: Pretraining = Pretraining(),  # noqa: B008
    budget: float | str | None = None, processes: int | None = None, random_state: Any = None,
    keeping: Keeping | None = None,
) -> Generator[Stage | Remark | Step | Epoch, None, PretrainedEncoder]:
    """The same as :func:`pretrain`, as a generator of what happens, which returns the encoder."""
    deadline, seed = time.monotonic() + seconds_of(budget), seed_from(random_state)
    texts = check_documents(texts)
    yield Stage("learning sub-words")
    tokens = BorrowedTokens(_learned_tokenizer(texts, pieces))
    sequences, _ = cut_windows(tokens.encode(texts), family.longest)
    if len(sequences) < FEWEST_TEXTS:
        raise DataError(f"There are {len(sequences)} texts; an encoder needs {FEWEST_TEXTS}, and many more to be good.")
    reading, held_out = split_texts(sequences, training, seed)
    job = PretrainingJob(
        family, len(tokens), 0, training, seed, None, reading, held_out, SPECIAL.index("[MASK]"), len(SPECIAL)
    )
    size = int(reading.lengths.sum())
    processes = processes_for(training, size) if processes is None else processes
    kept = None
    if keeping is not None:
        kept = keeping.begin({
            "family": "bert", "options": to_json(family), "seed": seed, "training": to_json(training),
            "processes": processes, "budget": budget, "texts": fingerprint_of(texts), "pieces": pieces,
            "versions": library_versions(),
        })
        for remark in keeping.remarks():
            yield Remark(remark)
    yield Stage(f"pretraining on {size:,} tokens with {processes} process{'es' if processes > 1 else ''}")
    learned = None
    for event in learn_kept(processes, job, deadline, kept):
        if isinstance(event, Learned):
            learned = event
        else:
            yield event
    return PretrainedEncoder(family, network_of(learned.weights), tokens, learned)


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
