"""Truncated back-propagation (Williams and Peng 1990; Mikolov et al. 2010): a state that is carried between batches.

A document is read window by window.  Each begins with the state in which the one before it ended, and the gradient
stops there: a network learns to use what it read long ago, though it is corrected for a window at a time.
"""

from typing import Any

import numpy as np
import torch


class CarriedState:
    """The states in which the rows of the last batch ended."""

    def __init__(self) -> None:
        self.rows = np.zeros(0, np.int64)
        self.state: Any = None

    def before(self, fresh: Any, rows: np.ndarray, goes_on: np.ndarray) -> Any:
        """The state with which ``rows (B,)`` begin: where one goes on that of the row before it, else ``fresh``."""
        if not goes_on.any():
            return fresh
        places = {row + 1: place for place, row in enumerate(self.rows.tolist())}
        found = torch.tensor([places[row] for row in rows[goes_on].tolist()])
        return fresh.with_rows(torch.from_numpy(goes_on), self.state.reorder(found, 1))

    def keep(self, state: Any, rows: np.ndarray) -> None:
        """For the next batch."""
        self.rows, self.state = rows, state.detached()

    def forget(self) -> None:
        """No row goes on."""
        self.state = None
