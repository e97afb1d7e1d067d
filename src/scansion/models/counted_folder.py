"""A counted family and its linear head as files, and back."""

import numpy as np

from scansion.families.static import TOKENIZER as STATIC_TOKENIZER
from scansion.families.static import StaticTable
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
from scansion.storage.limits import TOKENIZER, VOCABULARY
from scansion.storage.word_list import words_from_bytes, words_to_bytes


def counted_stored(model: SparseLinearModel) -> ModelFiles:
    """The words are the vocabulary; the family's own arrays stand beside the head's, a tokenizer in its own file."""
    words, arrays = model.vectors.state()
    tokens = {VOCABULARY: words_to_bytes(words)}
    if STATIC_TOKENIZER in arrays:
        tokens[TOKENIZER] = arrays.pop(STATIC_TOKENIZER).tobytes()
    tensors = arrays_of(model.linear) | {FAMILY_PREFIX + name: array for name, array in arrays.items()}
    return ModelFiles(tensors, tokens, strength=model.linear.strength)


def counted_restored(folder: Folder, config: DocumentConfig, tensors: Arrays) -> SparseLinearModel:
    """The inverse of :func:`counted_stored`."""
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    arrays = below(tensors, FAMILY_PREFIX)
    if TOKENIZER in folder.contents:
        arrays[STATIC_TOKENIZER] = np.frombuffer(folder.bytes(TOKENIZER), np.uint8)
    table = StaticTable.restore(arrays, folder.where(TOKENIZER))
    vectors = config.fit.family.build(table).restore(words, arrays)
    return SparseLinearModel(vectors, linear_of(tensors, config), config.fit.word_rule)
