"""One description of a fit, from which run folders, workers' jobs, the resume check and ``config.json`` are made."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from scansion.families.catalogue import STORED, name_of, options_of
from scansion.heads.catalogue import HEADS
from scansion.learning.training import TRAININGS, Pretraining
from scansion.storage.manifest import library_versions
from scansion.storage.schema import OneOf, to_json
from scansion.text.words import WordRule

OF_WEIGHTS = ("source", "static")
"""The options of families that name a folder of pretrained weights."""


@dataclass(frozen=True)
class FitDescription:
    """All that a fit is a function of: with equal descriptions on one machine, models are equal to the last bit."""

    task: str
    family: Annotated[Any, OneOf(STORED)]
    training: Annotated[Any, OneOf(TRAININGS)]
    seed: int
    rows: int
    """Documents or pairs that were given."""
    fingerprints: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the texts, targets, weights and whatever else was learned from, by what they are of."""
    head: Annotated[Any, OneOf(HEADS, optional=True)] = None
    """None where the next token is predicted."""
    class_weight: str | dict[str, float] | None = None
    vocab_size: int | None = None
    """The most subwords that a tokenizer may learn; None where words are read."""
    pretraining: Pretraining | None = None
    """How the family first learns from texts without answers, if it does."""
    word_rule: WordRule = 1
    """The rule by which texts are parted into words; a folder that names none was written before there was another."""
    processes: int | None = None
    budget: float | str | None = None

    @property
    def title(self) -> str:
        """The family's name."""
        return name_of(self.family)

    def to_run(self, machine: dict[str, int]) -> dict[str, Any]:
        """As a run folder holds it: with what of this machine the result depends on too, its cores and threads."""
        return to_json(self.without_paths()) | machine | {"versions": library_versions()}

    def without_paths(self) -> "FitDescription":
        """Of a folder of pretrained weights only the name is stored."""
        named = {name: getattr(self.family, name) for name in OF_WEIGHTS if name in options_of(type(self.family))}
        names = {name: Path(place).resolve().name for name, place in named.items() if place and os.path.isdir(place)}
        return replace(self, family=replace(self.family, **names)) if names else self
