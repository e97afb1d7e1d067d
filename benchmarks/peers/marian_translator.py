"""A Hugging Face ``MarianMTModel`` of the same shape: seconds for the test set with ``generate``, five beams.

    python marian_translator.py FOLDER BATCH ORDER

FOLDER holds ``sources.json`` (sub-words as numbers), ``lengths.json`` (how long scansion's translations are) and
``sizes.json``.  Marian's layers are post-norm, so scansion's weights do not go in: the weights are random, and every
batch is told to write as many tokens as the longest of its translations has, since ``generate`` goes on until the last
sentence of a batch is done.  ORDER is ``file``, the order in which the sentences come, or ``sorted``, by length.
"""

import json
import sys
import time
from pathlib import Path

import torch
from transformers import MarianConfig, MarianMTModel

PADDING, BEGIN, END = 0, 1, 2


def main(folder: Path, batch: int, order_of: str) -> None:
    """Translate, and print what it took."""
    sizes = json.loads((folder / "sizes.json").read_text())
    sources, lengths = (json.loads((folder / f"{name}.json").read_text()) for name in ("sources", "lengths"))
    torch.manual_seed(0)
    model = MarianMTModel(MarianConfig(
        vocab_size=sizes["pieces"], d_model=sizes["width"], encoder_layers=sizes["layers"],
        decoder_layers=sizes["layers"], encoder_attention_heads=sizes["heads"],
        decoder_attention_heads=sizes["heads"], encoder_ffn_dim=sizes["feed_forward"],
        decoder_ffn_dim=sizes["feed_forward"], activation_function="relu", scale_embedding=True,
        pad_token_id=PADDING, eos_token_id=END, decoder_start_token_id=BEGIN, forced_eos_token_id=None,
    )).eval()
    order = list(range(len(sources)))
    if order_of == "sorted":
        order.sort(key=lambda row: -len(sources[row]))
    begun, written = time.perf_counter(), 0
    with torch.inference_mode():
        for begin in range(0, len(order), batch):
            rows = order[begin : begin + batch]
            widest = max(len(sources[row]) for row in rows)
            tokens = torch.tensor([sources[row] + [PADDING] * (widest - len(sources[row])) for row in rows])
            new = max(lengths[row] for row in rows)
            found = model.generate(
                input_ids=tokens, attention_mask=(tokens != PADDING).long(), num_beams=5, min_new_tokens=new,
                max_new_tokens=new, do_sample=False,
            )
            written += (found.shape[1] - 1) * len(rows)
    print(json.dumps({"seconds": time.perf_counter() - begun, "tokens": written}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
