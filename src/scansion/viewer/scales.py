"""From values to places on a drawing, and the round values to write beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isclose, log10


@dataclass(frozen=True)
class Scale:
    """Values from ``low`` to ``high`` on places from ``begin`` to ``end``; in ratios if it is logarithmic."""

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool = False

    @classmethod
    def over(cls, values: Sequence[float], begin: float, end: float, logarithmic: bool = False) -> "Scale":
        """A scale that all the values lie on, with a little room at both ends."""
        low, high = min(values), max(values)
        if logarithmic:
            room = (high / low) ** 0.06 if high > low else 2.0
            return cls(low / room, high * room, begin, end, True)
        room = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
        return cls(low - room, high + room, begin, end)

    def __call__(self, value: float) -> float:
        """Its place, to a tenth."""
        low, high = self.low, self.high
        share = log10(value / low) / log10(high / low) if self.logarithmic else (value - low) / (high - low)
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values within, at most so many: multiples of 1, 2 or 5 times a power of ten, or powers of ten."""
        if self.logarithmic:
            return self._powers(most)
        step = 10.0 ** floor(log10((self.high - self.low) / most))
        while True:
            for times in (1, 2, 5):
                first, last = ceil(self.low / (times * step)), floor(self.high / (times * step))
                if last - first < most:
                    return [self._clean(i * times * step) for i in range(first, last + 1)]
            step *= 10

    def _powers(self, most: int) -> list[float]:
        within = [
            float(f"{times}e{power}")
            for power in range(floor(log10(self.low)), ceil(log10(self.high)) + 1) for times in (1, 2, 5)
            if self.low <= float(f"{times}e{power}") <= self.high
        ]
        tens = [value for value in within if isclose(log10(value), round(log10(value)), abs_tol=1e-9)]
        if len(within) <= most or len(tens) < 2:
            return within
        return tens[:: -(-len(tens) // most)]

    def _clean(self, value: float) -> float:
        return float(f"{value:.12g}")
