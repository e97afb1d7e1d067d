"""Figures as people read them, and the names of what they measure."""

from collections.abc import Mapping, Sequence
from typing import Any

NAMES = {
    "bleu": "BLEU", "chrf": "chrF", "macro_f1": "macro F1", "micro_f1": "micro F1", "pearson": "Pearson’s r",
    "r2": "R²",
}


def seconds_shown(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``, ``1 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def processor_shown(seconds: float) -> str:
    """Of processors, ``0.4``, ``12`` or ``1,234``: seconds whatever they add up to."""
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:,.0f}"


def cost_shown(seconds: float, of_processors: float) -> str:
    """``12 s, 21 processor seconds``."""
    return f"{seconds:.1f} s, {processor_shown(of_processors)} processor seconds"


def rate_shown(rate: float | None) -> str:
    """``870``, ``3.2k``, ``41k``, and ``–`` for what nothing is spent on."""
    if rate is None:
        return "–"
    return f"{rate:.0f}" if rate < 1_000 else f"{rate / 1000:.1f}k" if rate < 10_000 else f"{rate / 1000:.0f}k"


def bytes_shown(size: int) -> str:
    """``12 kB``, ``3.4 MB``, ``1.2 GB``."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            value = size / factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{size} B"


def score_shown(value: float | None, in_hundredths: bool) -> str:
    """A share in hundredths with one decimal, any other measure with three; ``–`` for none."""
    if value is None:
        return "–"
    return f"{100 * value:.1f}" if in_hundredths else f"{value:.3f}"


def difference_shown(value: float, in_hundredths: bool) -> str:
    """As a score, with its sign."""
    return f"{100 * value:+.1f}" if in_hundredths else f"{value:+.3f}"


def measure_shown(name: str) -> str:
    """A measure in words."""
    return NAMES.get(name, name.replace("_", " "))


def options_shown(options: Mapping[str, Any], between: str = "; ") -> str:
    """``order 6; network transformer (width 128, heads 4)``: options of a family, and of a part of it in brackets."""
    return between.join(f"{name.replace('_', ' ')} {_option_shown(value)}" for name, value in options.items())


def _option_shown(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    others = {name: each for name, each in value.items() if name != "name"}
    return f"{value['name']} ({options_shown(others, ', ')})"


def counted(number: int, noun: str) -> str:
    """``1 document``, ``2,000 documents``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def figure_shown(value: float, unit: str, tick: bool = False) -> str:
    """Three digits: ``0.123``, ``17,400``, ``2.3 × 10⁻¹⁰``; a share ``%`` in hundredths; ``10^`` the logarithm of
    the number; others with their unit.

    A ``tick`` of an axis is as short as it can be, and has no unit.
    """
    if unit == "%":
        return f"{100 * value:.3g}" if tick else f"{100 * value:.1f} %"
    if tick:
        unit = ""
    if unit == "B":
        return bytes_shown(round(value))
    if unit == "10^":
        return _three_digits(float(f"{10.0**value:.1g}"), tick)
    return f"{_three_digits(value, tick)} {unit}".strip()


def _three_digits(value: float, tick: bool) -> str:
    size = abs(value)
    if value == 0 or 1e-3 <= size < 1e5 or (size < 1e7 and value == round(value) and not tick):
        return f"{value:,.0f}" if size >= 1_000 or value == round(value) else f"{value:.3g}"
    mantissa, _, exponent = f"{value:.2g}".partition("e") if "e" in f"{value:.2g}" else f"{value:.1e}".partition("e")
    power = f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"
    return power if float(mantissa) == 1 else f"{mantissa.removesuffix('.0')} × {power}"


def interval_shown(figure: Mapping[str, Any]) -> str:
    """``0.31 to 0.52``; a dash where nothing was drawn at random."""
    if figure["low"] == figure["high"]:
        return "–"
    low, high = (figure_shown(figure[end], figure["unit"]) for end in ("low", "high"))
    return f"{low.removesuffix(' %')} to {high}"


def bound_shown(condition: Mapping[str, Any], figures: Sequence[Mapping[str, Any]]) -> str:
    """``at least 95.0 %``."""
    unit = next(each["unit"] for each in figures if each["name"] == condition["figure"])
    if condition["least"] is not None:
        return f"at least {figure_shown(condition['least'], unit)}"
    return f"at most {figure_shown(condition['most'], unit)}"
