"""JoeyNMT (Kreutzer et al. 2019) on text that is cut into sub-words already: its training speed, and its translations.

    python joeynmt_translator.py train FOLDER UPDATES      target tokens a second, as it logs them itself
    python joeynmt_translator.py translate FOLDER BATCH    seconds for the test set, and what it wrote

FOLDER holds train, dev and test files of space-separated pieces, ``pieces.txt``, ``sizes.json`` and, to translate,
``weights.npz``: scansion's own weights, which go into JoeyNMT's pre-norm Transformer but for the bias of the output,
which it does not have.  Both run as its command does, from a configuration file.
"""

import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from joeynmt.transformer_layers import PositionalEncoding

SPECIAL = ["<unk>", "<pad>", "<s>", "</s>"]
OURS = [0, 0, 1, 2]  # which of scansion's rows stand for them
CONFIGURATION = """
name: "benchmark"
joeynmt_version: "2.3.0"
model_dir: "{folder}/model"
use_cuda: False
fp16: False
random_seed: 0
num_workers: 0
data:
  train: "{folder}/train"
  dev: "{folder}/dev"
  test: "{folder}/test"
  dataset_type: "plain"
  src: {{lang: "en", max_length: 200, lowercase: False, level: "word", voc_file: "{folder}/vocabulary.txt"}}
  trg: {{lang: "de", max_length: 200, lowercase: False, level: "word", voc_file: "{folder}/vocabulary.txt"}}
testing:
  n_best: 1
  beam_size: 5
  beam_alpha: 1.0
  batch_size: {test_batch}
  batch_type: "sentence"
  max_output_length: 100
  eval_metrics: []
  return_prob: "none"
training:
  optimizer: "adam"
  adam_betas: [0.9, 0.98]
  learning_rate: 0.001
  scheduling: "warmupinversesquareroot"
  learning_rate_warmup: 1000
  label_smoothing: 0.1
  loss: "crossentropy"
  batch_size: 4096
  batch_type: "token"
  normalization: "tokens"
  clip_grad_norm: 1.0
  epochs: 1
  updates: {updates}
  validation_freq: 1000000
  logging_freq: 5
  overwrite: True
  early_stopping_metric: "loss"
  keep_best_ckpts: 1
model:
  tied_embeddings: True
  tied_softmax: True
  encoder: &side
    type: "transformer"
    num_layers: {layers}
    num_heads: {heads}
    embeddings: {{embedding_dim: {width}, scale: True, dropout: {dropout}}}
    hidden_size: {width}
    ff_size: {feed_forward}
    dropout: {dropout}
    layer_norm: "pre"
  decoder: *side
"""


def configure(folder: Path, updates: int, test_batch: int) -> Path:
    """The configuration file, and the vocabulary as JoeyNMT orders it."""
    pieces = (folder / "pieces.txt").read_text(encoding="utf-8").splitlines()
    (folder / "vocabulary.txt").write_text("\n".join(SPECIAL + pieces[3:]) + "\n", encoding="utf-8")
    sizes = json.loads((folder / "sizes.json").read_text())
    path = folder / "joeynmt.yaml"
    path.write_text(CONFIGURATION.format(folder=folder, updates=updates, test_batch=test_batch, **sizes))
    return path


def train(folder: Path, updates: int) -> dict[str, object]:
    """The median of what it logs, the first fifth left out."""
    command = [sys.executable, "-m", "joeynmt", "train", str(configure(folder, updates, 64)), "--skip-test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = [float(found) for found in re.findall(r"Tokens per Sec:\s+(\d+)", done.stdout + done.stderr)]
    if not told:
        raise SystemExit(done.stderr)
    return {"tokens_per_second": statistics.median(told[len(told) // 5 :]), "logged": len(told)}


def write_checkpoint(folder: Path) -> None:
    """scansion's weights under JoeyNMT's names."""
    ours = {name: torch.from_numpy(array) for name, array in np.load(folder / "weights.npz").items()}
    table = ours["network.embedding.weight"]
    state = {"src_embed.lut.weight": torch.cat([table[OURS], table[3:]])}
    state["trg_embed.lut.weight"] = state["decoder.output_layer.weight"] = state["src_embed.lut.weight"]
    attention = {"own_attention": "trg_trg_att", "source_attention": "src_trg_att", "attention": "src_src_att"}
    norms = {"attention_norm": "layer_norm", "own_norm": "x_layer_norm", "source_norm": "dec_layer_norm"}
    for name, tensor in ours.items():
        parts = name.removeprefix("network.").split(".")
        if parts[0] in ("encoder_norm", "decoder_norm"):
            state[f"{parts[0][:7]}.layer_norm.{parts[1]}"] = tensor
        if parts[0] not in ("encoder", "decoder"):
            continue
        side, number, part = parts[:3]
        place = f"{side}.layers.{number}"
        if part in norms:
            state[f"{place}.{norms[part]}.{parts[3]}"] = tensor
        elif part == "feed_forward":
            inner = {"norm": "layer_norm", "inner": "pwff_layer.0", "outer": "pwff_layer.3"}[parts[3]]
            state[f"{place}.feed_forward.{inner}.{parts[4]}"] = tensor
        elif parts[3] == "key_value":
            for layer, half in zip(("k_layer", "v_layer"), tensor.chunk(2), strict=True):
                state[f"{place}.{attention[part]}.{layer}.{parts[4]}"] = half
        else:
            layer = {"query": "q_layer", "output": "output_layer"}[parts[3]]
            state[f"{place}.{attention[part]}.{layer}.{parts[4]}"] = tensor
    for side in ("encoder", "decoder"):
        state[f"{side}.pe.pe"] = PositionalEncoding(table.shape[1]).pe
    (folder / "model").mkdir(exist_ok=True)
    torch.save({"model_state": state}, folder / "model" / "best.ckpt")


def translate(folder: Path, batch: int) -> dict[str, object]:
    """The seconds that it logs for the generation, and its translations."""
    write_checkpoint(folder)
    path = configure(folder, 1, batch)
    command = [sys.executable, "-m", "joeynmt", "test", str(path), "-o", str(folder / "joeynmt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = re.findall(r"Generation took ([\d.]+)", done.stdout + done.stderr)
    if not told:
        raise SystemExit(done.stderr[-3000:])
    return {"seconds": float(told[-1]), "file": str(folder / "joeynmt.test")}


if __name__ == "__main__":
    where = Path(sys.argv[2]).resolve()
    print(json.dumps({"train": train, "translate": translate}[sys.argv[1]](where, int(sys.argv[3]))))
