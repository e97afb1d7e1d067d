"""How the processes of one run work together: each reads its share of every batch, and gradients are summed."""

from typing import Protocol

import torch
import torch.distributed as distributed
from torch import Tensor, nn

from scansion.errors import ScansionError
from scansion.learning.optimizer import NUMBERS, Optimizer, rows_of


class WorkerLostError(ScansionError):
    """Another process of the run has gone."""


class ProcessGroup(Protocol):
    """The processes of a run; ``rank`` is this one's number among ``size``."""

    rank: int
    size: int

    @property
    def told(self) -> str:
        """``2 processes``."""
        ...

    def share(self, optimizer: Optimizer, loss: float, progress: float) -> tuple[float, float]:
        """Sum gradients and losses over all processes; the summed loss, and the first process's progress.

        WorkerLostError if one of them has gone.
        """
        ...


class SingleProcess:
    """One process alone."""

    rank, size, told = 0, 1, "1 process"

    def share(self, optimizer: Optimizer, loss: float, progress: float) -> tuple[float, float]:
        """Nothing to share."""
        return loss, progress


class DistributedGroup:
    """One of several processes, inside an initialised ``torch.distributed`` group."""

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self.told = f"{self.size} process{'es' * (self.size > 1)}"

    def share(self, optimizer: Optimizer, loss: float, progress: float) -> tuple[float, float]:
        """See :class:`ProcessGroup`."""
        numbers = optimizer.flat[-NUMBERS:]
        numbers[0], numbers[1] = loss, progress if self.rank == 0 else 0.0
        try:
            distributed.all_reduce(optimizer.flat)
            for table in optimizer.tables:
                table.weights.grad = self.sum_rows(table.weights)
        except RuntimeError as error:  # gloo's, for a connection that was closed
            raise WorkerLostError(f"Another process of the run has gone: {error}") from error
        return float(numbers[0]), float(numbers[1])

    def sum_rows(self, table: nn.Parameter) -> Tensor:
        """The sum of a word table's sparse gradients (V, D): a batch touches few words, so only their rows travel."""
        touched, values = rows_of(table)
        counts = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        distributed.all_gather(counts, torch.tensor([len(touched)]))
        most = max(1, *(int(count) for count in counts))
        words, rows = torch.zeros(most, dtype=torch.int64), torch.zeros(most, table.shape[1])
        words[: len(touched)], rows[: len(touched)] = touched, values
        all_words = [torch.empty_like(words) for _ in range(self.size)]
        all_rows = [torch.empty_like(rows) for _ in range(self.size)]
        distributed.all_gather(all_words, words)
        distributed.all_gather(all_rows, rows)
        # in the order of ranks, so that every process gets the same sum to the last bit
        words = torch.cat([theirs[: int(count)] for theirs, count in zip(all_words, counts, strict=True)])
        rows = torch.cat([theirs[: int(count)] for theirs, count in zip(all_rows, counts, strict=True)])
        return torch.sparse_coo_tensor(words[None], rows, table.shape, check_invariants=False)
