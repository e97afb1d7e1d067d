"""Memory after many shapes of batches, in a process of its own: kernels are kept by the process, and so are limits."""

import subprocess
import sys

import pytest

from scansion.layers.packed import PACKS
from scansion.serving import flat_memory

SHAPES = """
from pathlib import Path
from scansion.serving import flat_memory
flat_memory.KEPT_KERNELS = 16
flat_memory.keep_few_kernels()
import torch
from scansion.layers.packed import PackedLinear
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
layer, vectors = PackedLinear(torch.nn.Linear(64, 64)), torch.zeros(1000, 64)
with torch.inference_mode():
    layer(vectors)
    before = resident()
    for rows in range(1, 301):
        layer(vectors[:rows])
flat_memory.give_back()
print(resident() - before)
"""


@pytest.mark.skipif(not PACKS or flat_memory.TRIM is None, reason="no packed products, or not glibc")
def test_memory_after_hundreds_of_shapes_is_that_of_the_kernels_that_are_kept(monkeypatch):
    for name in flat_memory.CACHES:
        monkeypatch.delenv(name, raising=False)
    made = subprocess.run([sys.executable, "-c", SHAPES], capture_output=True, text=True, check=True)
    assert float(made.stdout) < 80  # megabytes: 7 here, and 167 where all kernels are kept


def test_what_the_environment_says_of_kernels_stands(monkeypatch):
    for name in flat_memory.CACHES:
        monkeypatch.setenv(name, "7")
    flat_memory.keep_few_kernels()
    assert {flat_memory.os.environ[name] for name in flat_memory.CACHES} == {"7"}


def test_without_glibc_nothing_is_given_back(monkeypatch):
    monkeypatch.setattr(flat_memory, "TRIM", None)
    flat_memory.give_back()
