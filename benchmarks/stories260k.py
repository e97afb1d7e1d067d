"""stories260K (Karpathy, a small Llama) beside its published text and likelihoods.

    python benchmarks/stories260k.py --data DATA

The checkpoint has Meta's names, rotary pairs side by side, and a vocabulary with scores; it becomes a folder in the
layout of Hugging Face, which scansion reads.  The text must be that of reference.json, token for token.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from public_data import add_data_option
from safetensors.numpy import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

NAME, SPECIAL, FIRST_PIECE = "pretrained_stories260k", ("<unk>", "<s>", "</s>"), 259


def write_folder(source: Path, folder: Path) -> None:
    """The checkpoint in the layout of Hugging Face."""
    from scansion.layers.rotary import from_side_by_side

    old = json.loads((source / "config.json").read_text())
    config = {
        "model_type": "llama", "hidden_size": old["dim"], "num_attention_heads": old["n_heads"],
        "num_key_value_heads": old["n_kv_heads"], "num_hidden_layers": old["n_layers"],
        "intermediate_size": old["hidden_dim"], "vocab_size": old["vocab_size"],
        "max_position_embeddings": old["max_seq_len"], "rms_norm_eps": old["norm_eps"],
        "rope_theta": old["rope_theta"], "bos_token_id": old["bos_token_id"], "eos_token_id": old["eos_token_id"],
        "tie_word_embeddings": True, "hidden_act": "silu",
    }
    names = {
        "attention.wq": "self_attn.q_proj", "attention.wk": "self_attn.k_proj", "attention.wv": "self_attn.v_proj",
        "attention.wo": "self_attn.o_proj", "feed_forward.w1": "mlp.gate_proj", "feed_forward.w2": "mlp.down_proj",
        "feed_forward.w3": "mlp.up_proj", "attention_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    }
    heads = {"attention.wq": old["n_heads"], "attention.wk": old["n_kv_heads"]}
    tensors = {}
    for name, array in load_file(source / "stories260k.safetensors").items():
        part = name.removesuffix(".weight")
        if part.startswith("layers."):
            _, number, inner = part.split(".", 2)
            array = from_side_by_side(array, heads[inner]) if inner in heads else array
            tensors[f"model.layers.{number}.{names[inner]}.weight"] = np.ascontiguousarray(array)
        elif part in ("tok_embeddings", "norm"):
            tensors[{"tok_embeddings": "model.embed_tokens", "norm": "model.norm"}[part] + ".weight"] = array
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "model.safetensors")
    tokenizer(source / "vocab.tsv").save(str(folder / "tokenizer.json"))


def tokenizer(table: Path) -> Tokenizer:
    """Pairs are merged in the order of the scores of what they become."""
    rows = [line.split("\t") for line in table.read_text(encoding="utf-8").split("\n")[1:] if line]
    words = [json.loads(piece).replace(" ", "\u2581") for _, _, piece in rows]
    words[: len(SPECIAL)] = SPECIAL
    numbers: dict[str, int] = {}
    for number, word in enumerate(words):
        numbers.setdefault(word, number)
    by_score = sorted(range(FIRST_PIECE, len(words)), key=lambda number: -float(rows[number][1]))
    merges = [
        (words[number][:at], words[number][at:]) for number in by_score for at in range(1, len(words[number]))
        if words[number][:at] in numbers and words[number][at:] in numbers
    ]
    found = Tokenizer(models.BPE(numbers, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    found.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    found.decoder = decoders.Sequence([
        decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)
    ])
    found.add_special_tokens([AddedToken(each, special=True) for each in SPECIAL])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    source = Path(parser.parse_args().data) / NAME
    import scansion

    wanted = json.loads((source / "reference.json").read_text())
    with tempfile.TemporaryDirectory() as place:
        write_folder(source, Path(place))
        model = scansion.LanguageModel.from_pretrained(place)
    tokens = wanted["token_ids_with_bos"]
    text = model.generate("", len(tokens) - 1, temperature=0)
    written = model.fitted_.units.numbers([text])[0].tolist()
    print(f"text: {'the same' if text == wanted['text'] else 'differs'}; tokens: {len(tokens)}, with the first; "
          f"{'the same' if written == tokens[1:] else 'differ'}")
    for name, text in (("", wanted["text"]), ("second_", wanted["second_text"])):
        same = model.fitted_.units.numbers([text])[0].tolist() == wanted[f"{name}token_ids_with_bos"][1:]
        nats = float(model.surprisal([text])[0].bits[:-1].mean() * np.log(2))
        print(f"tokens {'the same' if same else 'differ'}; mean negative log-likelihood {nats:.6f}, published "
              f"{wanted[name + 'mean_nll_nats']:.6f}")


if __name__ == "__main__":
    main()
