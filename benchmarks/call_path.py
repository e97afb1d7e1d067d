"""How far it is from ``scansion fit`` to the attention kernel: frames and files of the package, and their lines.

    python benchmarks/call_path.py [--family transformer]

A small table is fitted under ``sys.setprofile``; the stack is read when the first batch reaches the kernel
(``torch.nn.functional.scaled_dot_product_attention``, or the deepest call of the package for a family without one).
"""

import argparse
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

from torch.nn import functional

import scansion

PACKAGE = str(Path(scansion.__file__).parent)
ROWS = 40


def stack(frame: FrameType | None) -> list[tuple[str, str]]:
    """The package's frames from the outermost to this one: (file, function)."""
    found = []
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(PACKAGE):
            found.append((file, frame.f_code.co_name))
        frame = frame.f_back
    return found[::-1]


def measure(family: str) -> list[tuple[str, str]]:
    """The stack at the kernel, or the deepest one inside the training loop."""
    from scansion.cli.main import carry_out

    kernel, deepest = functional.scaled_dot_product_attention, []
    reached: list[list[tuple[str, str]]] = []

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal deepest
        if event == "c_call" and argument is kernel and not reached:
            reached.append(stack(frame))
        elif event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            here = stack(frame)
            if any(name == "train" for _, name in here) and len(here) > len(deepest):
                deepest = here

    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "table.csv"
        rows = [f"{'good' if i % 2 else 'bad'} film number {i},{'up' if i % 2 else 'down'}" for i in range(ROWS)]
        table.write_text("\n".join(["text,label", *rows]))
        sys.setprofile(profile)
        carry_out(["fit", str(table), "--family", family, "--processes", "1", "--out", str(Path(scratch) / "model")])
        sys.setprofile(None)
    return reached[0] if reached else deepest


def main() -> None:
    """Print the path and its size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", default="transformer")
    path = measure(parser.parse_args().family)
    for file, name in path:
        print(f"{Path(file).relative_to(PACKAGE)}:{name}")
    files = sorted({file for file, _ in path})
    lines = sum(len(Path(file).read_text().splitlines()) for file in files)
    print(f"{len(path)} frames, {len(files)} files, {lines:,} lines")


if __name__ == "__main__":
    main()
