"""What CTranslate2 (Klein et al. 2020), which runs Transformers and nothing else, asks of a model.

The same weights in the layout it takes: queries, keys and values of self-attention in one matrix.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scansion.errors import MissingExtraError, StorageError
from scansion.layers.attention import MultiHeadAttention
from scansion.models.precision import Precision

TOKENS_AT_A_TIME = 512
INSTRUCTIONS = "CT2_FORCE_CPU_ISA"


def library() -> Any:
    """The package. MissingExtraError without it."""
    try:
        import ctranslate2
    except ImportError as error:
        raise MissingExtraError("This needs CTranslate2: pip install 'scansion[fast]'.") from error
    return ctranslate2


@contextmanager
def loading() -> Iterator[None]:
    """Around the loading of a model.

    It takes the widest instructions of a processor only when it is told to, at the first model of a process; with them
    int8 took up to a seventh less time on an AMD EPYC.  And it sets the number of threads of whoever loads, which torch
    shares; they are given back.
    """
    before = torch.get_num_threads()
    telling = torch.backends.cpu.get_cpu_capability() == "AVX512" and INSTRUCTIONS not in os.environ
    if telling:
        os.environ[INSTRUCTIONS] = "AVX512"
    try:
        yield
    finally:
        if telling:
            del os.environ[INSTRUCTIONS]
        torch.set_num_threads(before)


def finished(specification: Any, precision: Precision) -> Any:
    """A filled-in description, checked and brought to a precision."""
    specification.validate()
    specification.optimize(quantization=None if precision == "float32" else precision)
    return specification


def save_new(specification: Any, folder: str | Path) -> None:
    """Write the folder that CTranslate2 loads; StorageError if it is there already."""
    try:
        Path(folder).mkdir(parents=True)
    except FileExistsError as error:
        raise StorageError(f"{folder} is there already. Name a new folder.") from error
    specification.save(str(folder))


def put_self_attention(place: Any, attention: MultiHeadAttention) -> None:
    """All three projections of a layer's input, and the one of what was read."""
    query, key_value, output = attention.linears()
    place.linear[0].weight = np.concatenate([array(query.weight), array(key_value.weight)])
    place.linear[0].bias = np.concatenate([array(query.bias), array(key_value.bias)])
    put_linear(place.linear[1], output)


def put_linear(place: Any, mine: nn.Linear) -> None:
    """A matrix and its bias."""
    place.weight, place.bias = array(mine.weight), array(mine.bias)


def put_norm(place: Any, mine: nn.LayerNorm) -> None:
    """A layer norm."""
    place.gamma, place.beta = array(mine.weight), array(mine.bias)


def array(tensor: Tensor) -> np.ndarray:
    """A copy of weights as numpy holds them."""
    return tensor.detach().numpy().copy()  # quantising works in place
