"""What all decoders that write do alike: read many positions at once, or one more after those that were read.

A decoder sees ``context`` tokens at most.  Of a longer document it forgets the first half of these whenever they are
full: a token is foretold from half a context to a whole one, in the same way when a document is scored and when it is
written.

One position more is the price of writing, and a row or a few meet every weight.  So the weights are laid out once a
text as a row reads them fastest, transposed (two to three times the speed of a single row), queries, keys and values in
one matrix; keys and values have room that is made ahead; rows of one length need neither mask nor indices.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from scansion.layers.rotary import Turns

FIRST_ROOM = 256  # positions; then twice as many, until the context
Product = Callable[[Tensor], Tensor]


def transposed(*linears: nn.Linear, scales: tuple[float, ...] = ()) -> Product:
    """What the layers do to one input, side by side, (N, D) -> (N, E + ...); each times its scale, by default 1."""
    factors = scales or (1.0,) * len(linears)
    weight = torch.cat([each.weight.detach() * factor for each, factor in zip(linears, factors, strict=True)])
    weight = weight.t().contiguous()
    if linears[0].bias is None:
        return lambda vectors: torch.mm(vectors, weight)
    bias = torch.cat([each.bias.detach() * factor for each, factor in zip(linears, factors, strict=True)])
    return lambda vectors: torch.addmm(bias, vectors, weight)


def normed(norm: nn.LayerNorm) -> Product:
    """What the layer does, without what a module does around it, which takes longer for a row."""
    shape, weight, bias, epsilon = norm.normalized_shape, norm.weight, norm.bias, norm.eps
    return lambda vectors: torch.layer_norm(vectors, shape, weight, bias, epsilon)


@dataclass
class LayerWindow:
    """What one layer has read: keys and values (2, N, H, room, d), H of them for any number of query heads."""

    read: Tensor

    def looked_at(self, queries: Tensor, length: int, seen: Tensor | None) -> Tensor:
        """Queries (N, G H d), G for every key -> what they read of ``length`` positions (N, G H d)."""
        _, rows, heads, _, size = self.read.shape
        keys, values = self.read.flatten(1, 2)[:, :, :length]  # (N H, S, d) each
        scores = torch.bmm(queries.reshape(rows * heads, -1, size), keys.transpose(1, 2))  # (N H, G, S)
        if seen is not None:
            scores = scores.view(rows, heads, -1, length).masked_fill(~seen[:, None, None], float("-inf"))
            scores = scores.view(rows * heads, -1, length)
        return torch.bmm(scores.softmax(dim=-1), values).view(rows, -1)


@dataclass
class WindowState:
    """The tokens of each row that are still seen (N, room), how many (N,), and each layer's keys and values."""

    tokens: Tensor
    lengths: list[int]
    windows: list[LayerWindow]
    steps: list[Any] = field(repr=False)
    """Each layer's weights, as a step reads them."""

    def reorder(self, rows: Tensor, hypotheses: int) -> "WindowState":
        """The given rows (M,)."""
        lengths = [self.lengths[row] for row in rows.tolist()]
        windows = [LayerWindow(each.read[:, rows]) for each in self.windows]
        return WindowState(self.tokens[rows], lengths, windows, self.steps)

    def make_room(self, wanted: int, context: int) -> None:
        """For so many positions, and some more."""
        room = self.tokens.shape[1]
        if wanted <= room:
            return
        more = min(context, max(FIRST_ROOM, 2 * room, wanted)) - room
        self.tokens = nn.functional.pad(self.tokens, (0, more))
        for window in self.windows:
            window.read = nn.functional.pad(window.read, (0, 0, 0, more))


class CausalDecoder(nn.Module):
    """tokens (B, L), L at most the context -> (B, L, D), what the token after each is predicted from.

    A family gives it ``context``, ``blocks``, ``norm``, ``dropout``, the ``turns`` of rotary positions or None, and
    :meth:`embed`.  A block has ``keys``, how many heads of keys of which size; reads with ``forward(vectors, turns) ->
    (vectors, keys, values)``, and ``stepping()`` gives what takes ``(vectors, window, at, seen, turns)`` a step on.
    """

    context: int
    blocks: Any
    norm: Any
    dropout: Any
    turns: Turns | None = None

    def embed(self, tokens: Tensor, positions: slice | Tensor, window: Tensor) -> Tensor:
        """Tokens at positions of the window (B, S), as the first layer takes them."""
        raise NotImplementedError

    carries_on: ClassVar[bool] = False

    def forward(self, tokens: Tensor) -> Tensor:
        return self.reading(tokens)[0]

    def following(self, tokens: Tensor, batch: Any) -> Tensor:
        """The same in training: nothing is carried from batch to batch."""
        return self(tokens)

    def pieces(self, tokens: Tensor) -> list[Tensor]:
        """The same in one piece: there is no longer one than a context."""
        return [self(tokens)]

    def reading(self, tokens: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """The vectors (B, L, D), and of every layer what later positions look at, (B, H, L, d) twice."""
        here = slice(0, tokens.shape[1])
        turns = None if self.turns is None else self.turns.at(here)
        vectors, read = self.dropout(self.embed(tokens, here, tokens)), []
        for block in self.blocks:
            vectors, keys, values = block(vectors, turns)
            read.append((keys, values))
        return self.norm(vectors), read

    def state_after(self, rows: list[Tensor]) -> WindowState:
        """What was read of documents, (L,) tokens each, from their beginning on."""
        kept = [row[first_seen(len(row), self.context) :] for row in rows]
        lengths, device = [len(row) for row in kept], self.output_embedding.device
        windows = [
            LayerWindow(torch.zeros(2, len(rows), heads, 0, size, device=device))
            for heads, size in (block.keys for block in self.blocks)
        ]
        tokens = torch.zeros(len(rows), 0, dtype=torch.int64, device=device)
        state = WindowState(tokens, lengths, windows, [block.stepping() for block in self.blocks])
        state.make_room(min(self.context, max(lengths, default=0) + FIRST_ROOM), self.context)
        for number, row in enumerate(kept):
            state.tokens[number, : len(row)] = row
        self._read_again(state, list(range(len(rows))))
        return state

    @property
    def output_embedding(self) -> Tensor:
        """What the logits of the next token are made with, (V, D)."""
        raise NotImplementedError

    def step(self, last: Tensor, state: WindowState) -> tuple[Tensor, WindowState]:
        """The last tokens (N,) -> the vectors that the next is predicted from, (N, D)."""
        if full := [row for row, length in enumerate(state.lengths) if length == self.context]:
            half = self.context // 2
            state.tokens[full, :half] = state.tokens[full, half : 2 * half]
            for row in full:
                state.lengths[row] = half
            self._read_again(state, full)
        longest = max(state.lengths)
        state.make_room(longest + 1, self.context)
        at: slice | Tensor
        if min(state.lengths) == longest:
            state.tokens[:, longest], at, seen = last, slice(longest, longest + 1), None
        else:
            at = torch.tensor(state.lengths, device=last.device)
            seen = torch.arange(longest + 1, device=last.device) <= at[:, None]  # (N, S)
            state.tokens[torch.arange(len(last), device=last.device), at] = last
        turns = None if self.turns is None else self.turns.at(at)
        vectors = self.embed(last, at, state.tokens)
        for step, window in zip(state.steps, state.windows, strict=True):
            vectors = step(vectors, window, longest + 1, at, seen, turns)
        state.lengths = [length + 1 for length in state.lengths]
        return self.norm(vectors), state

    def _read_again(self, state: WindowState, rows: list[int]) -> None:
        """What later positions look at, of the given rows, from the tokens that they hold."""
        longest = max((state.lengths[row] for row in rows), default=0)
        if longest:
            for window, (keys, values) in zip(
                state.windows, self.reading(state.tokens[rows, :longest])[1], strict=True
            ):
                window.read[0, rows, :, :longest] = keys
                window.read[1, rows, :, :longest] = values


class AttentionStep:
    """One position more of a layer's attention: its weights as a row reads them fastest."""

    def __init__(self, attention: Any, heads: int, size: int) -> None:
        self.heads, self.size, self.width = heads, size, attention.query.out_features
        self.all = transposed(attention.query, attention.key_value, scales=(size**-0.5, 1.0))
        self.output = transposed(attention.output)

    def __call__(
        self, vectors: Tensor, window: LayerWindow, length: int, at: slice | Tensor, seen: Tensor | None,
        turns: Turns | None,
    ) -> Tensor:
        """(N, D) -> (N, D): its keys and values join those of the window, and then it looks at them."""
        rows, heads, size = len(vectors), self.heads, self.size
        found = self.all(vectors)
        if turns is not None:
            turning = found[:, : -heads * size].view(rows, -1, size)
            if seen is not None:
                turns = Turns(turns.cosines[:, None], turns.sines[:, None])
            found = torch.cat([turns.turned(turning).flatten(1), found[:, -heads * size :]], dim=1)
        new = found[:, self.width :].view(rows, 2, heads, size)
        if isinstance(at, slice):
            window.read[:, :, :, at.start] = new.transpose(0, 1)
        else:
            window.read[:, torch.arange(rows, device=at.device), :, at] = new
        return self.output(window.looked_at(found[:, : self.width], length, seen))


def first_seen(length: int, context: int) -> int:
    """Of ``length`` tokens that were read, the first that the next prediction depends on."""
    half = context // 2
    return max(0, -(-(length - context) // half) * half)
