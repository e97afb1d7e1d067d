"""What comes of fitting a language family, of whatever kind."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from scansion.learning.events import Event
from scansion.models.fitted_language import NextTokenModel
from scansion.text.text_units import TextUnits


@dataclass(frozen=True)
class LanguageFit:
    """What came of a fit."""

    model: NextTokenModel
    notes: tuple[str, ...]
    workers: int = 0
    """Processes beside the caller's own."""
    cut_short: bool = False
    """Whether the budget was spent before all was learned."""
    untrained: str = ""
    """How far it came if the budget was spent before enough was read for a score; else empty."""


Fitting = Generator[Event, None, LanguageFit]


@dataclass(frozen=True, eq=False)
class Begun:
    """What a fit begins with: the tokens that texts are cut into, why these, and what learns from them."""

    units: TextUnits
    why: str
    learn: Callable[..., Fitting]
    network: Any = None
    """What the family pretrained has found in a folder."""
