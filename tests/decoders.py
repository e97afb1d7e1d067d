"""Small GPT-2 and Llama folders with random weights, as ``transformers`` writes them, for several tests."""

import json
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

MODELS = {
    "gpt2": (GPT2LMHeadModel, GPT2Config, {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32}),
    "llama": (LlamaForCausalLM, LlamaConfig, {
        "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 32, "rope_parameters": {
            "rope_type": "default", "rope_theta": 500.0},
    }),
}


def byte_level(folder: Path) -> int:
    """A tokenizer in the manner of GPT-2, whose one special token begins and ends texts; its number."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*letters, "Ġt", "he", "Ġthe", "th", "the"]
    merges = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("t", "h"), ("t", "he")]
    found = Tokenizer(models.BPE({word: number for number, word in enumerate(words)}, merges))
    found.pre_tokenizer, found.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    found.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    found.save(str(folder / "tokenizer.json"))
    return found.token_to_id("<|endoftext|>")


def pieces(folder: Path) -> tuple[int, int]:
    """A tokenizer in the manner of Llama: blanks are marks, what is unknown is spelled in bytes."""
    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *"▁abcdehiklnoqstuv"]
    words += ["▁t", "he", "▁the"]
    found = Tokenizer(models.BPE(
        {word: number for number, word in enumerate(words)}, [("▁", "t"), ("h", "e"), ("▁t", "he")], unk_token="<unk>",
        byte_fallback=True, fuse_unk=True,
    ))
    found.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    found.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)
    ])
    found.add_special_tokens([AddedToken(each, special=True) for each in ("<unk>", "<s>", "</s>")])
    found.save(str(folder / "tokenizer.json"))
    return 1, 2


def folder_of(kind: str, folder: Path, tied: bool):
    """Write a folder of a kind; the model of ``transformers`` in it."""
    folder.mkdir(parents=True)
    begin, end = (byte_level(folder),) * 2 if kind == "gpt2" else pieces(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made, configured, sizes = MODELS[kind]
    torch.manual_seed(1)
    model = made(configured(
        **sizes, vocab_size=tokenizer.get_vocab_size() + 3, bos_token_id=begin, eos_token_id=end,
        tie_word_embeddings=tied, initializer_range=0.3,
    )).eval()
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink()
    return model


def change(folder: Path, **fields) -> None:
    """Set fields of config.json; those that are None are taken out."""
    config = json.loads((folder / "config.json").read_text()) | fields
    (folder / "config.json").write_text(json.dumps({name: each for name, each in config.items() if each is not None}))
