"""Figures as people read them, and the names of what they measure."""

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


def counted(number: int, noun: str) -> str:
    """``1 document``, ``2,000 documents``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
