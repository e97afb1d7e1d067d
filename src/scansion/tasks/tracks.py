"""What a recurrent reader does at each word, written out: its gates, how far its state moves, what the answer feels.

    forget, input, output    the mean over a layer's units of f_t, i_t, o_t (of an LSTM), from 0 to 1
    movement                 |h_t - h_(t-1)|, of either
    saliency                 |d score / d x_t|, the length of the gradient at the word (Li et al. 2016, section 5)

Gates are not to be had from the vendor's kernel, so the formula is computed here, one step after the other; how far its
states are from the kernel's is told beside them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from scansion.layers.bidirectional import Bidirectional
from scansion.tasks.readings import Reading, Window
from scansion.viewer.look import Track

DIRECTIONS = ("forwards", "backwards")
GATES = ("input gate", "forget gate", "output gate")
ABOUT = {
    "input gate": "how much of the word it lets in",
    "forget gate": "how much of its memory it keeps",
    "output gate": "how much of its memory it shows",
    "movement": "how far its state moves",
}


@dataclass(frozen=True)
class Steps:
    """A layer's states (L, D), and the means of its gates (L,) if it has any."""

    states: Tensor
    gates: dict[str, np.ndarray]


def tracks_of(reading: Reading, window: Window, output: int) -> tuple[list[Track], float | None]:
    """Tracks of a window's own tokens, and how far the written-out states are from the kernel's, if it has any."""
    layers = [layer for layer in reading.reader.modules() if isinstance(layer, Bidirectional)]
    if not layers or window.inside.start == window.inside.stop:
        return [], None
    (layer,) = layers
    with torch.no_grad():
        vectors = reading.embedding(window.tokens)[0]  # (L, D)
        found, apart = [], 0.0
        for name in DIRECTIONS:
            given = vectors if name == "forwards" else vectors.flip(0)
            cell = getattr(layer, name)
            steps = lstm_steps(cell, given) if isinstance(cell, nn.LSTM) else rnn_steps(cell, given)
            apart = max(apart, float((steps.states - cell(given[None])[0][0]).abs().max()))
            moved = torch.diff(steps.states, dim=0, prepend=torch.zeros_like(steps.states[:1])).norm(dim=1).numpy()
            for track, values in (*steps.gates.items(), ("movement", moved)):
                values = values if name == "forwards" else values[::-1].copy()
                greatest = 1.0 if track in GATES else float(moved.max())
                found.append(Track(track, f"reading {name}", ABOUT[track], values, greatest))
    saliency = saliency_of(reading, window, output)
    about = "how much the answer's score would move with the word's vector"
    return [Track("saliency", "", about, saliency, float(saliency.max())), *found], apart


def saliency_of(reading: Reading, window: Window, output: int) -> np.ndarray:
    """The length of the gradient at every token of the window's own, (L,)."""
    vectors = reading.embedding(window.tokens).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(reading.scores_from(vectors, window)[0, output], vectors)
    return slopes[0, window.inside].norm(dim=1).double().numpy()


def lstm_steps(layer: nn.LSTM, vectors: Tensor) -> Steps:
    """The formula of ``families/lstm.py`` over (L, D); torch keeps i, f, g and o one below the other."""
    state = memory = vectors.new_zeros(layer.hidden_size)
    from_words = vectors @ layer.weight_ih_l0.T + layer.bias_ih_l0 + layer.bias_hh_l0
    states, gates = [], []
    for word in from_words:
        i, f, g, o = (word + layer.weight_hh_l0 @ state).chunk(4)
        i, f, o = i.sigmoid(), f.sigmoid(), o.sigmoid()
        memory = f * memory + i * torch.tanh(g)
        state = o * torch.tanh(memory)
        states.append(state)
        gates.append(torch.stack([i.mean(), f.mean(), o.mean()]))
    means = torch.stack(gates, dim=1).numpy()  # (3, L)
    return Steps(torch.stack(states), dict(zip(GATES, means, strict=True)))


def rnn_steps(layer: nn.RNN, vectors: Tensor) -> Steps:
    """The formula of ``families/rnn.py`` over (L, D)."""
    state = vectors.new_zeros(layer.hidden_size)
    from_words = vectors @ layer.weight_ih_l0.T + layer.bias_ih_l0 + layer.bias_hh_l0
    states = []
    for word in from_words:
        state = torch.tanh(word + layer.weight_hh_l0 @ state)
        states.append(state)
    return Steps(torch.stack(states), {})
