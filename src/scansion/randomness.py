"""Randomness as a function, not a state.

Every random draw comes from ``(seed, purpose, counters)``: the same key always gives the same numbers, whatever
was drawn before, so a run can stop anywhere and go on, and workers need no negotiation.
"""

import zlib

import numpy as np

LARGEST_SEED = 2**32 - 1


def stream(seed: int, purpose: str, *counters: int) -> np.random.Generator:
    """The generator that belongs to a key, such as ``stream(0, "dropout", step, rank, layer)``."""
    key = np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), *counters])
    return np.random.Generator(np.random.SFC64(key))


def seed_from(random_state: int | np.random.RandomState | np.random.Generator | None) -> int:
    """The one integer that stands for scikit-learn's several kinds of ``random_state``; None draws a fresh one."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, LARGEST_SEED))
    return int(random_state) % (LARGEST_SEED + 1)
