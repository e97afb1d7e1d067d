"""``python -m scansion.learning.worker FOLDER RANK PROCESSES``: one process of a shared run.

The first process tells its steps on standard output, a JSON object a line, and leaves the weights in the folder.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import torch
import torch.distributed as distributed
from safetensors.numpy import save_file

from scansion.errors import DivergedError
from scansion.learning.gradient import Step
from scansion.learning.parallel import Together, event_of, read_job
from scansion.learning.readers import Learned, learn_reader

SECONDS_BETWEEN_STEPS_TOLD = 0.2


def work(folder: Path, rank: int, processes: int) -> None:
    """Take part in the run whose inputs lie in ``folder``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one, and ends it
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    store = distributed.FileStore(str(folder / "store"), processes)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=processes)
    job, spelling, examples, held_out, deadline = read_job(folder)
    told = 0.0
    try:
        for event in learn_reader(job, spelling, examples, held_out, Together(), deadline):
            if rank:
                continue
            if isinstance(event, Learned):
                save_file(event.weights, folder / "weights.safetensors")
                outcome = {key: value for key, value in vars(event).items() if key != "weights"}
                (folder / "learned.json").write_text(json.dumps(outcome))
            elif not isinstance(event, Step) or time.monotonic() - told > SECONDS_BETWEEN_STEPS_TOLD:
                told = time.monotonic()
                print(event_of(event), flush=True)
    except DivergedError as error:
        if rank == 0:
            print(json.dumps({"diverged": str(error)}), flush=True)
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
