"""``python -m scansion.learning.worker FOLDER RANK PROCESSES``: one process of a shared run.

The first process tells its steps on standard output, a JSON object a line, keeps the checkpoints and leaves the weights
in the folder.  Standard input is a line to the process that started this one: when it closes, that process has died.
"""

import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import torch
import torch.distributed as distributed
from safetensors.numpy import save_file

from scansion.learning.checkpoints import Checkpoints
from scansion.learning.gradient import Step
from scansion.learning.parallel import ERRORS, Together, event_of, read_run
from scansion.learning.run import Learned, learn_by_steps

SECONDS_BETWEEN_STEPS_TOLD = 0.2
SECONDS_TO_BE_ENDED = 10


def work(folder: Path, rank: int, processes: int) -> None:
    """Take part in the run whose inputs lie in ``folder``."""
    threading.Thread(target=_end_with_the_parent, args=(folder,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    job, deadline, checkpoints = read_run(folder)
    if checkpoints is not None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN if rank else lambda number, frame: checkpoints.stop.ask())
    store = distributed.FileStore(str(folder / "store"), processes)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=processes)
    told = 0.0
    try:
        for event in learn_by_steps(job, Together(), deadline, _mine(checkpoints, rank)):
            if rank:
                continue
            if isinstance(event, Learned):
                save_file(event.weights, folder / "weights.safetensors")
                outcome = {key: value for key, value in vars(event).items() if key != "weights"}
                (folder / "learned.json").write_text(json.dumps(outcome))
            elif (
                not isinstance(event, Step) or event.milestone or time.monotonic() - told > SECONDS_BETWEEN_STEPS_TOLD
            ):
                told = time.monotonic()
                print(event_of(event), flush=True)
    except tuple(ERRORS.values()) as error:
        if rank == 0:
            kind = next(name for name, each in ERRORS.items() if isinstance(error, each))
            print(json.dumps({"failed": kind, "sentence": str(error)}), flush=True)
            time.sleep(SECONDS_TO_BE_ENDED)  # the others first, or they complain that this one has gone
    except BrokenPipeError:  # nobody follows any more
        _leave(folder)
    finally:
        distributed.destroy_process_group()


def _mine(checkpoints: Checkpoints | None, rank: int) -> Checkpoints | None:
    """All processes go on from the same checkpoint; the first alone keeps new ones."""
    if checkpoints is not None and rank:
        checkpoints.seconds = float("inf")
    return checkpoints


def _end_with_the_parent(folder: Path) -> None:
    os.read(sys.stdin.fileno(), 1)  # unbuffered: a buffer is locked while the interpreter ends
    _leave(folder)


def _leave(folder: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # what others say of their end is no news
    shutil.rmtree(folder, ignore_errors=True)  # which the parent would have done
    os._exit(1)


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.flush()
    os._exit(0)  # all is written; while an interpreter ends, a thread of torch's own may still abort the process
