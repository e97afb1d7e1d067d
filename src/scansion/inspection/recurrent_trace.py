"""What a recurrent network does at each word, written out: its gates, how far its state moves, what the answer feels.

    gates          the mean over a layer's units, from 0 to 1: of an LSTM f_t, i_t, o_t, of a GRU r_t, z_t
    movement       |h_t - h_(t-1)|, of any
    saliency       |d logit / d x_t|, the length of the gradient at the word (Li et al. 2016, section 5)

The vendor's kernel does not show its gates, so the family's own formula is computed here, one step after the other; how
far its states are from the kernel's is told beside them.
"""

from typing import Any

import numpy as np
import torch

from scansion.inspection.model_inputs import ModelInput, Window
from scansion.layers.bidirectional import Bidirectional
from scansion.viewer.look import Track

DIRECTIONS = ("forwards", "backwards")
ABOUT = {
    "input gate": "how much of the word it lets in",
    "forget gate": "how much of its memory it keeps",
    "output gate": "how much of its memory it shows",
    "reset gate": "how much of its state it reads",
    "update gate": "how much of its state it keeps",
    "movement": "how far its state moves",
}


def tracks_of(family: Any, read: ModelInput, window: Window, output: int) -> tuple[list[Track], float | None]:
    """Tracks of a window's own tokens, and how far the written-out states are from the kernel's.

    None of a family that declares no ``trace``.
    """
    trace = getattr(family, "trace", None)
    if trace is None or window.inside.start == window.inside.stop:
        return [], None
    (layer,) = (each for each in read.network.modules() if isinstance(each, Bidirectional))
    found, apart = [], 0.0
    with torch.no_grad():
        vectors = read.embedding(window.tokens)[0]  # (L, D)
        for name in DIRECTIONS:
            given = vectors if name == "forwards" else vectors.flip(0)
            cell = getattr(layer, name)
            traced = trace(cell, given)
            apart = max(apart, float((traced.states - cell(given[None])[0][0]).abs().max()))
            moved = torch.diff(traced.states, dim=0, prepend=torch.zeros_like(traced.states[:1])).norm(dim=1)
            for track, values in (*traced.gates.items(), ("movement", moved)):
                ordered = values if name == "forwards" else values.flip(0)
                greatest = 1.0 if track in traced.gates else float(moved.max())
                about = ABOUT.get(track, "the mean over its units")
                found.append(Track(track, f"reading {name}", about, ordered.numpy(), greatest))
    saliency = saliency_of(read, window, output)
    about = "how much the answer's score would move with the word's vector"
    return [Track("saliency", "", about, saliency, float(saliency.max())), *found], apart


def saliency_of(read: ModelInput, window: Window, output: int) -> np.ndarray:
    """The length of the gradient at every token of the window's own, (L,)."""
    vectors = read.embedding(window.tokens).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(read.logits_from(vectors, window)[0, output], vectors)
    return slopes[0, window.inside].norm(dim=1).double().numpy()
