"""Every target that is files, and what goes there: one dictionary a task, by the kind of a model.

A target is a file in this folder and a line here.  ONNX (Open Neural Network Exchange) is read by runtimes in every
language and in browsers, Keras by TensorFlow, JAX and PyTorch.
"""

from collections.abc import Mapping
from typing import Any

from scansion.deferred import DeferredTable
from scansion.errors import UsageError

DOCUMENTS: dict[str, Mapping[str, Any]] = {
    "onnx": DeferredTable({
        "counted": ("scansion.exporting.onnx_documents", "counted"),
        "trained": ("scansion.exporting.onnx_documents", "trained"),
        "frozen": ("scansion.exporting.onnx_documents", "frozen"),
        "fine-tuned": ("scansion.exporting.onnx_documents", "fine_tuned"),
    }),
    "keras": DeferredTable({
        "counted": ("scansion.exporting.keras_documents", "counted"),
        "trained": ("scansion.exporting.keras_documents", "trained"),
        "frozen": ("scansion.exporting.keras_documents", "frozen"),
        "fine-tuned": ("scansion.exporting.keras_documents", "fine_tuned"),
    }),
}
"""Models that read a document."""

TRANSLATORS = DeferredTable({"onnx": ("scansion.exporting.onnx_translators", "translator")})
"""Models that read one text and write another."""

PRECISION = "float32"


def writing(targets: Mapping[str, Any], target: str, precision: str) -> Any:
    """What of a table writes a target. UsageError for a precision that it is not written in."""
    if precision != PRECISION:
        raise UsageError(f"{target} is written in {PRECISION}; got {precision!r}. int8 is for ctranslate2.")
    return targets[target]
