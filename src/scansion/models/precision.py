"""How exactly an engine computes."""

from typing import Literal

Precision = Literal["float32", "int8"]
PRECISIONS = ("float32", "int8")
