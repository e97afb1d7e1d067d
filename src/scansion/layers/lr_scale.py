"""At which multiple of the learning rate a parameter moves: pretrained ones, the lower the slower."""

from torch import nn

NAME = "lr_scale"


def set_lr_scale(parameter: nn.Parameter, scale: float) -> None:
    """From now on the parameter moves at this multiple."""
    setattr(parameter, NAME, scale)


def lr_scale_of(parameter: nn.Parameter, usual: float = 1.0) -> float:
    """The parameter's multiple, or the usual one where none was set."""
    return getattr(parameter, NAME, usual)
