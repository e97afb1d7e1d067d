"""A counted family and its linear head as files, and back."""

from scansion.models.document_config import (
    FAMILY_PREFIX,
    Arrays,
    DocumentConfig,
    ModelFiles,
    arrays_of,
    below,
    linear_of,
)
from scansion.models.document_models import SparseLinearModel
from scansion.storage.folders import Folder
from scansion.storage.limits import VOCABULARY
from scansion.storage.word_list import words_from_bytes, words_to_bytes


def counted_stored(model: SparseLinearModel) -> ModelFiles:
    """The words are the vocabulary; the family's own arrays stand beside the head's."""
    words, arrays = model.vectors.state()
    tensors = arrays_of(model.linear) | {FAMILY_PREFIX + name: array for name, array in arrays.items()}
    return ModelFiles(tensors, {VOCABULARY: words_to_bytes(words)}, strength=model.linear.strength)


def counted_restored(folder: Folder, config: DocumentConfig, tensors: Arrays) -> SparseLinearModel:
    """The inverse of :func:`counted_stored`."""
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    vectors = config.fit.family.build().restore(words, below(tensors, FAMILY_PREFIX))
    return SparseLinearModel(vectors, linear_of(tensors, config), config.fit.word_rule)
