"""Text that goes on: tokens drawn one after the other, and the text that is sure of them as it comes."""

import codecs
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from scansion.decoding.filters import Sampling
from scansion.decoding.sampling import Choose, drawing, going_on
from scansion.decoding.state import State, Step
from scansion.errors import UsageError
from scansion.layers.backoff_ngrams import BackoffNGrams
from scansion.models.fitted_language import FittedLanguage
from scansion.models.interpolation import Interpolation
from scansion.models.neural_language import NeuralLanguage

STOPPED, CUT = "stop", "length"
"""Why a text ends: with its document or before a text to stop at, or since it may have no more tokens."""


@dataclass(frozen=True)
class Written:
    """A token more of a text that is written: the number of its prompt, and the text that is sure with it."""

    prompt: int
    text: str
    ended: str | None = None
    """Why no more comes, STOPPED or CUT; then it is no token of the text."""


@dataclass(frozen=True, eq=False)
class CountedState:
    """A state of n-grams, as decoding takes it."""

    model: BackoffNGrams
    numbers: np.ndarray  # (B, N - 1) int64

    def reorder(self, rows: Tensor, hypotheses: int) -> Self:
        """See :class:`scansion.decoding.state.State`."""
        return type(self)(self.model, self.numbers[rows.numpy()])

    def step(self, last: Tensor) -> tuple[Tensor, Self]:
        """One step of the model."""
        scores, numbers = self.model.step(last.numpy(), self.numbers)
        return torch.from_numpy(scores), type(self)(self.model, numbers)


def counted_read(model: BackoffNGrams, rows: Sequence[np.ndarray]) -> tuple[Step, State]:
    """The step of n-grams, and their state after the tokens of each row."""
    return lambda last, state: state.step(last), CountedState(model, model.read(rows))


@dataclass(frozen=True, eq=False)
class NetworkState:
    """A state of a network, as decoding takes it."""

    network_step: Step
    never_written: tuple[int, ...]
    state: Any

    def reorder(self, rows: Tensor, hypotheses: int) -> Self:
        """See :class:`scansion.decoding.state.State`."""
        return replace(self, state=self.state.reorder(rows, hypotheses))

    def step(self, last: Tensor) -> tuple[Tensor, Self]:
        """One step of the network; of its own tokens no text holds padding or another beginning."""
        scores, state = self.network_step(last, self.state)
        for token in self.never_written:
            scores[:, token] = float("-inf")
        return scores, replace(self, state=state)


def network_read(model: NeuralLanguage, rows: Sequence[np.ndarray]) -> tuple[Step, State]:
    """The step of a network, and its state after the tokens of each row."""
    return lambda last, state: state.step(last), NetworkState(
        model.network.stepping(), model.never_written, model.read(rows)
    )


@dataclass(frozen=True, eq=False)
class WeighedStates:
    """The states of two parts, as decoding takes them; ``shares`` are the logarithms of their weights."""

    steps: tuple[Step, Step]
    states: tuple[State, State]
    shares: tuple[float, float]

    def reorder(self, rows: Tensor, hypotheses: int) -> Self:
        """See :class:`scansion.decoding.state.State`."""
        first, second = (state.reorder(rows, hypotheses) for state in self.states)
        return replace(self, states=(first, second))

    def step(self, last: Tensor) -> tuple[Tensor, Self]:
        """One step of both."""
        (one, first), (other, second) = (step(last, state) for step, state in zip(self.steps, self.states, strict=True))
        scores = torch.logaddexp(one + self.shares[0], other + self.shares[1])
        return scores, replace(self, states=(first, second))


def interpolated_read(model: Interpolation, rows: Sequence[np.ndarray]) -> tuple[Step, State]:
    """The step of both parts, and their states after the tokens of each row."""
    parts = [READ[part.kind](part, rows) for part in (model.network, model.counted)]
    steps, states = zip(*parts, strict=True)
    with np.errstate(divide="ignore"):  # of a weight that is 0 or 1
        shares = np.log([model.weight, 1 - model.weight]).tolist()
    return lambda last, state: state.step(last), WeighedStates(steps, states, shares)


READ: dict[str, Callable[[Any, Sequence[np.ndarray]], tuple[Step, State]]] = {
    "counted": counted_read, "gradient": network_read, "interpolated": interpolated_read,
}
"""For models of each kind: the step, and the state after tokens of each row, which begin with BEGIN and may be many."""


def writing(
    fitted: FittedLanguage, prompts: Sequence[str], sampling: Sampling, max_tokens: int, stop: Sequence[str], seed: int
) -> Iterator[Written]:
    """What is written after each prompt, token by token as it comes.

    A text ends with its document, before the first of the ``stop`` texts it would hold, or after ``max_tokens``.  The
    draws for a prompt depend on it, on the seed and on how many like it stand before it: it is gone on with alone as it
    is among others.  UsageError for ``max_tokens`` below 1 and for an empty stop.
    """
    check_writing(max_tokens, stop)
    return _written(fitted, prompts, sampling, max_tokens, stop, seed)


def check_writing(max_tokens: int, stop: Sequence[str]) -> None:
    """UsageError for ``max_tokens`` below 1 and for an empty stop."""
    if max_tokens < 1:
        raise UsageError(f"There is at least one token to write; got {max_tokens}.")
    if not all(stop):
        raise UsageError("A text to stop at is empty. Give at least one character.")


def _written(
    fitted: FittedLanguage, prompts: Sequence[str], sampling: Sampling, max_tokens: int, stop: Sequence[str], seed: int
) -> Iterator[Written]:
    encoded = fitted.encode(prompts)
    starts, lengths = encoded.starts.tolist(), encoded.lengths.tolist()
    read = [np.asarray(encoded.ids[at : at + length - 1]) for at, length in zip(starts, lengths, strict=True)]
    with torch.inference_mode():
        step, state = READ[fitted.model.kind](fitted.model, [row[:-1] for row in read])
        choose = drawing(sampling, seed, _numbers(prompts), [row.tolist() for row in read])
        last = torch.tensor([int(row[-1]) for row in read])
        texts = [TextSoFar(stop, "" if prompt else fitted.units.prefix) for prompt in prompts]
        spellings, counts = fitted.units.spellings, [0] * len(read)
        most = torch.full((len(read),), max_tokens + 1)  # the last is made an end
        end = fitted.units.end
        for rows, tokens, _ in going_on(step, state, last, most, end, _until(choose, texts, end)):
            for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
                text = texts[row].more(spellings[token], ends=token == end)
                if token != end:
                    counts[row] += 1
                    yield Written(row, text)
                else:
                    cut = counts[row] == max_tokens and not texts[row].stopped
                    yield Written(row, text, CUT if cut else STOPPED)


def _until(choose: Choose, texts: Sequence["TextSoFar"], end: int) -> Choose:
    """The same choice, save that of a text which has stopped the end comes next."""

    def chosen(log_probs: Tensor, rows: Tensor, position: int) -> Tensor:
        tokens = choose(log_probs, rows, position)
        if stopped := [number for number, row in enumerate(rows.tolist()) if texts[row].stopped]:
            tokens[stopped] = end
        return tokens

    return chosen


def _numbers(prompts: Sequence[str]) -> list[tuple[int, int]]:
    """What names each prompt for its draws."""
    before: Counter[str] = Counter()
    found = []
    for prompt in prompts:
        found.append((zlib.crc32(prompt.encode("utf-8", "surrogatepass")), before[prompt]))
        before[prompt] += 1
    return found


class TextSoFar:
    """Bytes come, and characters go as soon as no stop can begin in them."""

    def __init__(self, stop: Sequence[str], prefix: str) -> None:
        self.stop, self.prefix, self.stopped, self.waiting = stop, prefix, False, ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def more(self, spelled: bytes, ends: bool) -> str:
        """The text that is sure after some more bytes, of which ``ends`` are the last."""
        if self.stopped:
            return ""
        new = self.decoder.decode(spelled, ends)
        if self.prefix and new:
            new, self.prefix = new.removeprefix(self.prefix), ""
        self.waiting += new
        if places := [place for each in self.stop if (place := self.waiting.find(each)) >= 0]:
            self.stopped = True
            return self.waiting[: min(places)]
        kept = 0 if ends else max((n for each in self.stop for n in range(1, len(each))
                                   if self.waiting.endswith(each[:n])), default=0)
        sure, self.waiting = self.waiting[: len(self.waiting) - kept], self.waiting[len(self.waiting) - kept :]
        return sure
