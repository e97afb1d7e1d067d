"""Which matrices move by orthogonal ones (:mod:`scansion.learning.muon`): a family says so of those in its layers."""

from torch import nn

NAME = "orthogonal_parts"


def move_orthogonally(parameter: nn.Parameter, parts: int = 1) -> None:
    """From now on it does; ``parts`` matrices of one height, one below the other in it, are moved each for itself."""
    setattr(parameter, NAME, parts)


def orthogonal_parts(parameter: nn.Parameter) -> int:
    """How many matrices stand in it; 0 for what moves otherwise."""
    return getattr(parameter, NAME, 0)
