"""Networks built without first weights, for those that get all of theirs from a folder."""

from collections.abc import Callable, Sequence
from typing import Any

from torch.overrides import TorchFunctionMode

DRAWS = {"normal_", "uniform_", "kaiming_uniform_"}  # of torch.nn.init and of tensors


class WithoutWeights(TorchFunctionMode):
    """Inside it, first weights that would be drawn are left as they are in memory, and no random state moves.

    It saves the draws, and ``torch.device("meta")`` what its version of them imports: all of ``torch._dynamo``.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call ``func``, unless it draws."""
        given = kwargs or {}
        if getattr(func, "__name__", "") in DRAWS:
            return given["tensor"] if "tensor" in given else args[0]
        return func(*args, **given)
