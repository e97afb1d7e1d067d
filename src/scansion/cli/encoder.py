"""What ``fit --task encoder`` does: pretrain an encoder on plain texts."""

import json
from pathlib import Path
from typing import Any

from scansion.cli.following import follow
from scansion.cli.reading import read_unlabelled
from scansion.cli.stopping import heeding
from scansion.cli.telling import Telling, say
from scansion.errors import UsageError

TASK = "encoder"


def check_encoder(data: list[str], of_answers: dict[str, Any]) -> None:
    """UsageError for what does not go with texts that have no answers."""
    if len(data) != 1:
        raise UsageError(f"An encoder is pretrained on one file of texts; got {len(data)}.")
    for name, given in of_answers.items():
        if given is not None:
            raise UsageError(f"{name} is for texts with answers, and an encoder is pretrained without. Leave it out.")


def fit_encoder(
    data: str, text: str | None, configured: Any, shared: dict[str, Any], keeping: Any, out: Path, as_json: bool
) -> None:
    """Pretrain on one file of texts, and write a folder that ``--from`` takes."""
    from scansion.tasks.encoder import pretraining

    texts = read_unlabelled(data, text)
    with keeping, Telling() as telling, heeding(keeping.stop):
        encoder = follow(pretraining(texts, configured, keeping=keeping, **shared), telling)
        encoder.save(out)
        for sentence in keeping.finish():
            telling.done(sentence)
    learned = encoder.learned
    if as_json:
        print(json.dumps({
            "model": str(out), "task": TASK, "parameters": encoder.parameters, "steps": learned.steps,
            "tokens": learned.tokens,
        }, indent=2))
        return
    say(f"{learned.ended}; {learned.steps:,} steps over {learned.tokens:,} tokens")
    print(f"{out}: encoder, {encoder.parameters:,} parameters. Use it: scansion fit DATA --family pretrained --from "
          f"{out} --out MODEL")
