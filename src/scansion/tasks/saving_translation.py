"""A fitted translator as a model folder, and back."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scansion.errors import UnsafeFolderError
from scansion.families.catalogue import WRITERS, name_of
from scansion.learning.writer import WriterTraining, build_writer, restored
from scansion.storage.folders import Folder, publish
from scansion.storage.limits import CONFIG, VOCABULARY, WEIGHTS
from scansion.storage.schema import from_json, to_json
from scansion.storage.strict_json import json_bytes
from scansion.storage.vocabulary import words_from_bytes, words_to_bytes
from scansion.text.subwords import SPECIAL, Subwords

if TYPE_CHECKING:
    from scansion.tasks.translation import Translator

BETWEEN = " "  # no piece holds a blank, so a merge is never taken for a piece


@dataclass(frozen=True)
class TranslationModel:
    """``config.json`` of a translator."""

    task: Literal["translate"]
    family: str
    options: dict[str, bool | int | float | str | None]
    training: WriterTraining
    most_pieces: int
    pieces: int
    """How many entries of the vocabulary are pieces; the others are merges."""
    seed: int
    pairs: int


def save_translator(translator: "Translator", folder: Path) -> None:
    """Write a fitted translator in one step."""
    subwords = translator.subwords_
    config = TranslationModel(
        "translate", name_of(translator.family_), to_json(translator.family_), translator.training,
        translator.pieces, len(subwords), translator.seed_, translator.n_pairs_in_,
    )
    words = subwords.pieces + [BETWEEN.join(merge) for merge in subwords.merges]
    tensors = {name: tensor.detach().numpy() for name, tensor in translator.writer_.state_dict().items()}
    files = {CONFIG: json_bytes(to_json(config)), VOCABULARY: words_to_bytes(words), WEIGHTS: tensors}
    described = {
        "task": config.task, "family": config.family, "data_fingerprint": translator.data_fingerprint_
    }
    publish(folder, files, described)


def restore_translator(folder: Folder, kind: type) -> Any:
    """The translator in a verified folder."""
    config = from_json(TranslationModel, folder.json(CONFIG), folder.where(CONFIG))
    if config.family not in WRITERS:
        raise UnsafeFolderError(f"{folder.where(CONFIG)}: there is no family {config.family!r} in this version.")
    family = from_json(WRITERS[config.family], config.options, folder.where(CONFIG))
    translator = kind(family, pieces=config.most_pieces, training=config.training, random_state=config.seed)
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    merges = [tuple(word.split(BETWEEN)) for word in words[config.pieces :]]
    if words[: len(SPECIAL)] != list(SPECIAL) or any(len(merge) != 2 for merge in merges):
        raise UnsafeFolderError(f"{folder.where(VOCABULARY)} does not fit {CONFIG}.")
    translator.family_, translator.seed_, translator.n_pairs_in_ = family, config.seed, config.pairs
    translator.subwords_ = Subwords(words[: config.pieces], merges)
    translator.data_fingerprint_ = folder.manifest.data_fingerprint
    try:
        translator.subwords_.encode([""])
        writer = build_writer(family, len(translator.subwords_), config.training, config.seed)
        translator.writer_ = restored(writer, folder.tensors(WEIGHTS))
    except (KeyError, RuntimeError, ValueError) as error:
        raise UnsafeFolderError(f"{folder.where(WEIGHTS)} does not fit {CONFIG}: {error}") from error
    return translator
