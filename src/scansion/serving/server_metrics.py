"""Counters and histograms in Prometheus' text format; labels are names of routes and models, never of what was sent.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

Labels = tuple[str, ...]


@dataclass(eq=False)
class Counter:
    """What only grows, by the values of its labels."""

    name: str
    about: str
    labels: Labels = ()
    counts: dict[Labels, float] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def add(self, *values: str, amount: float = 1) -> None:
        """Some more."""
        with self.lock:
            self.counts[values] = self.counts.get(values, 0) + amount

    def lines(self) -> Iterator[str]:
        """As Prometheus reads them."""
        yield from _head(self.name, self.about, "counter")
        with self.lock:
            counts = dict(self.counts)
        for values, count in sorted(counts.items()):
            yield f"{self.name}{_braces(zip(self.labels, values, strict=True))} {count:g}"


@dataclass(eq=False)
class Histogram:
    """How often what was observed lay below each bound, by the values of its labels."""

    name: str
    about: str
    labels: Labels
    bounds: tuple[float, ...]
    counts: dict[Labels, list[float]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def observe(self, value: float, *values: str) -> None:
        """One more."""
        with self.lock:
            found = self.counts.setdefault(values, [0.0] * (len(self.bounds) + 2))
            found[bisect_left(self.bounds, value)] += 1
            found[-1] += value

    def lines(self) -> Iterator[str]:
        """As Prometheus reads them."""
        yield from _head(self.name, self.about, "histogram")
        with self.lock:
            counts = {values: list(found) for values, found in self.counts.items()}
        for values, (*found, total) in sorted(counts.items()):
            pairs, below = list(zip(self.labels, values, strict=True)), 0.0
            for bound, count in zip((*map(str, self.bounds), "+Inf"), found, strict=True):
                below += count
                yield f"{self.name}_bucket{_braces([*pairs, ('le', bound)])} {below:g}"
            yield f"{self.name}_sum{_braces(pairs)} {total:g}"
            yield f"{self.name}_count{_braces(pairs)} {below:g}"


@dataclass(eq=False)
class Gauge:
    """What is asked for whenever it is read, by the value of its one label."""

    name: str
    about: str
    label: str
    read: Callable[[], Mapping[str, float]]

    def lines(self) -> Iterator[str]:
        """As Prometheus reads them."""
        yield from _head(self.name, self.about, "gauge")
        for value, number in sorted(self.read().items()):
            yield f"{self.name}{_braces([(self.label, value)])} {number:g}"


class ServerMetrics:
    """All that a server counts."""

    def __init__(self, gauges: tuple[Gauge, ...] = ()) -> None:
        self.requests = Counter(
            "scansion_requests_total", "Requests by route, method and status.", ("route", "method", "status")
        )
        self.seconds = Histogram(
            "scansion_request_seconds", "Seconds from a request's head to its answer.", ("route",), SECONDS
        )
        self.batch_texts = Histogram("scansion_batch_texts", "Texts read together.", ("model",), SIZES)
        self.batch_seconds = Histogram("scansion_batch_seconds", "Seconds to read a batch.", ("model",), SECONDS)
        self.left = Counter("scansion_left_total", "Requests whose client left before the answer.", ("route",))
        self.reloads = Counter("scansion_reloads_total", "Models loaded anew, or not.", ("model", "result"))
        self.gauges = gauges

    def text(self) -> str:
        """The whole page."""
        every: tuple[Counter | Histogram | Gauge, ...] = (
            self.requests, self.seconds, self.batch_texts, self.batch_seconds, self.left, self.reloads,
            *self.gauges,
        )
        return "\n".join(line for each in every for line in each.lines()) + "\n"


def _head(name: str, about: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"


def _braces(pairs: object) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)  # type: ignore[attr-defined]
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
