"""An ONNX graph, node by node, with weights under the names that they have in the network.

Networks are written out in the standard's own operators, not traced: the file then says what the formulas say, any
number of rows of any length fits, and the recurrent operators take each row's own length.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scansion.errors import MissingExtraError, UsageError

OPSET, IR_VERSION = 20, 10
"""Of 2024, so that runtimes since then read it, those in browsers too; 20 is the first that knows GELU."""
MOST_BYTES = 2**31 - 2**20
"""A file of protocol buffers holds two gigabytes."""


def library() -> Any:
    """The package. MissingExtraError without it."""
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("This needs onnx: pip install 'scansion[onnx]'.") from error
    return onnx


class Graph:
    """Values are known by their names, which every method takes and returns."""

    def __init__(self, name: str) -> None:
        """MissingExtraError without the package."""
        self.onnx, self.name = library(), name
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.nodes: list[Any] = []
        self.weights: dict[str, np.ndarray] = {}

    def input(self, name: str, shape: Sequence[str | int], kind: type = np.int64) -> str:
        """What is given; sizes that are names may be any."""
        self.inputs.append(self._value(name, shape, kind))
        return name

    def output(self, name: str, value: str, shape: Sequence[str | int], kind: type = np.float32) -> None:
        """What is answered: ``value`` under this name."""
        self.nodes.append(self.onnx.helper.make_node("Identity", [value], [name], name=name))
        self.outputs.append(self._value(name, shape, kind))

    def weight(self, name: str, array: np.ndarray) -> str:
        """Numbers that were learned, float32 unless they are whole."""
        kept = array.astype(np.float32) if np.issubdtype(array.dtype, np.floating) else array
        self.weights[name] = np.ascontiguousarray(kept)
        return name

    def constant(self, value: Any, kind: type = np.float32) -> str:
        """A number, or several."""
        array: np.ndarray = np.array(value, kind)
        name = f"constant.{np.dtype(kind)}.{array.tolist()}".replace(" ", "")
        self.weights.setdefault(name, array)
        return name

    def node(
        self, operator: str, *inputs: str, attributes: Mapping[str, Any] | None = None, outputs: int = 1
    ) -> list[str]:
        """The outputs of one operator; an input without a name is left out."""
        number = len(self.nodes)
        names = [f"{operator}.{number}" + (f".{each}" if each else "") for each in range(outputs)]
        made = self.onnx.helper.make_node(operator, list(inputs), names, name=names[0], **dict(attributes or {}))
        self.nodes.append(made)
        return names

    def add(self, operator: str, *inputs: str, attributes: Mapping[str, Any] | None = None) -> str:
        """The one output of an operator."""
        return self.node(operator, *inputs, attributes=attributes)[0]

    def over(self, operator: str, value: str, *axes: int, keep: bool = False) -> str:
        """Reduce axes, which are kept with the size 1 if it is said."""
        return self.add(operator, value, self.constant(axes, np.int64), attributes={"keepdims": int(keep)})

    def widened(self, value: str, *axes: int) -> str:
        """With new axes of size 1."""
        return self.add("Unsqueeze", value, self.constant(axes, np.int64))

    def narrowed(self, value: str, *axes: int) -> str:
        """Without axes of size 1."""
        return self.add("Squeeze", value, self.constant(axes, np.int64))

    def reshaped(self, value: str, *shape: int) -> str:
        """In another shape: 0 keeps a size, -1 takes what is left."""
        return self.add("Reshape", value, self.constant(shape, np.int64))

    def cast(self, value: str, kind: type = np.float32) -> str:
        """As numbers of another kind."""
        return self.add("Cast", value, attributes={"to": self._kind(kind)})

    def size(self, value: str, axis: int) -> str:
        """The size of an axis, (1,)."""
        return self.add("Shape", value, attributes={"start": axis, "end": axis + 1})

    def part(self, value: str, begin: str, end: str, axis: int) -> str:
        """A piece of an axis; ``begin`` and ``end`` are (1,)."""
        return self.add("Slice", value, begin, end, self.constant([axis], np.int64))

    def first(self, value: str, size: str, axis: int = 0) -> str:
        """The beginning of an axis, ``size`` (1,) long."""
        return self.part(value, self.constant([0], np.int64), size, axis)

    def file(self) -> bytes:
        """The whole as an .onnx file, checked. UsageError for more weights than one can hold."""
        size = sum(array.nbytes for array in self.weights.values())
        if size > MOST_BYTES:
            raise UsageError(f"The model has {size:,} bytes of weights, and one .onnx file holds {MOST_BYTES:,}.")
        helper = self.onnx.helper
        tensors = [self.onnx.numpy_helper.from_array(array, name) for name, array in self.weights.items()]
        model = helper.make_model(
            helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, tensors),
            producer_name="scansion", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
        )
        self.onnx.checker.check_model(model)
        found: bytes = model.SerializeToString()
        return found

    def _value(self, name: str, shape: Sequence[str | int], kind: type) -> Any:
        return self.onnx.helper.make_tensor_value_info(name, self._kind(kind), list(shape))

    def _kind(self, kind: type) -> int:
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind)))
