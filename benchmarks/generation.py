"""Speed of writing beside ``transformers`` and CTranslate2: greedy text, the same weights, one thread each.

    python benchmarks/generation.py [--width 128 --layers 4 --vocabulary 5000 --tokens 256 --rounds 5]
    python benchmarks/generation.py --memory --tokens 10000

A Transformer of scansion's with random weights writes natively; ``transformers`` writes with the folder that ``scansion
export --to huggingface`` makes of it, CTranslate2 with what ``--to ctranslate2`` does.  Nobody may end a text early.
Processor's seconds, alternating; a ratio above 1 means that scansion is faster.  With ``--memory`` an LSTM and a
Transformer write so many tokens in place of that, and what the process has grown by is told.
"""

import argparse
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import ctranslate2
import numpy as np
import torch
from transformers import AutoModelForCausalLM

from scansion.decoding.filters import Sampling
from scansion.decoding.sampling import drawing, going_on
from scansion.families.causal_transformer import CausalTransformer
from scansion.families.recurrent_language_model import LSTMLanguageModel
from scansion.learning.language_network import build_language
from scansion.models.ctranslate2_decoder import specification_of
from scansion.models.huggingface_decoder import own_as_gpt2
from scansion.models.neural_language import NeuralLanguage
from scansion.storage.huggingface_layout import write_layout

PROMPT = [1, 5, 6, 7, 8]
NEVER = -1


def native(model: NeuralLanguage, tokens: int) -> Callable[[int], list[int]]:
    """scansion's own writing."""

    def run(rows: int) -> list[int]:
        with torch.inference_mode():
            step, state = model.network.stepping(), model.read([np.array(PROMPT[:-1])] * rows)
            choose = drawing(Sampling(0.0), 0, [(row,) for row in range(rows)], [[] for _ in range(rows)])
            last, most = torch.full((rows,), PROMPT[-1]), torch.full((rows,), tokens + 1)
            found = []
            for _, written, _ in going_on(step, state, last, most, NEVER, choose):
                found.append(int(written[0]))
                if len(found) == tokens:
                    break
        return found

    return run


def theirs(model: torch.nn.Module, tokens: int) -> Callable[[int], list[int]]:
    """``generate`` of transformers."""

    def run(rows: int) -> list[int]:
        ids = torch.tensor([PROMPT] * rows)
        with torch.inference_mode():
            found = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False,
                                   eos_token_id=None, pad_token_id=0)
        return found[0, len(PROMPT):].tolist()

    return run


def ctranslate2_of(model: NeuralLanguage, tokens: int, folder: str) -> Callable[[int], list[int]]:
    """CTranslate2 with the same weights."""
    names = [str(token) for token in range(len(model.network.network.output_embedding))]
    specification_of(model, names, "float32").save(folder)
    runs = ctranslate2.Generator(folder, inter_threads=1, intra_threads=1)

    def run(rows: int) -> list[int]:
        written = runs.generate_batch(
            [[str(token) for token in PROMPT]] * rows, max_length=tokens, min_length=tokens, sampling_topk=1,
            include_prompt_in_result=False, max_batch_size=0,
        )
        return written[0].sequences_ids[0]

    return run


def memory(tokens: int) -> None:
    """What writing so many tokens adds to the process, at a tenth of them and at the end."""
    for family in (LSTMLanguageModel(), CausalTransformer(), CausalTransformer(context=512)):
        model = NeuralLanguage(build_language(family, 5_000, 0.0, 1).eval(), family.context)
        native(model, 10)(1)
        grown, begun = [], resident()
        for most in (tokens // 10, tokens):
            native(model, most)(1)
            grown.append(f"{(resident() - begun) / 1e6:.1f} MB after {most:,} tokens")
        print(f"{type(family).__name__}, context {family.context}: {', '.join(grown)}", flush=True)


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def seconds(run: Callable[[int], list[int]], rows: int) -> float:
    begun = time.process_time()
    run(rows)
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"width": 128, "layers": 4, "heads": 4, "vocabulary": 5_000, "tokens": 256, "rounds": 5}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--memory", action="store_true", help="what an LSTM and a Transformer take for long texts")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.memory:
        memory(arguments.tokens)
        return
    warnings.filterwarnings("ignore")
    family = CausalTransformer(arguments.width, arguments.heads, arguments.layers, 4 * arguments.width, context=512)
    model = NeuralLanguage(build_language(family, arguments.vocabulary, 0.0, 1).eval(), family.context)
    with tempfile.TemporaryDirectory() as place:
        weights = {name: each.numpy() for name, each in model.network.network.state_dict().items()}
        config, tensors = own_as_gpt2(family, weights, model.network.head.bias.detach().numpy())
        config |= {"vocab_size": arguments.vocabulary, "bos_token_id": 1, "eos_token_id": 2}
        write_layout(Path(place) / "f", config, tensors, b"{}")
        peer = AutoModelForCausalLM.from_pretrained(Path(place) / "f").eval()
        (Path(place) / "c").mkdir()
        other = ctranslate2_of(model, arguments.tokens, f"{place}/c")
    mine, hugging_face = native(model, arguments.tokens), theirs(peer, arguments.tokens)
    print(f"{model.parameters:,} parameters, {arguments.tokens} tokens; "
          f"same text as transformers: {mine(1) == hugging_face(1)}")
    for name, run, rows in (("transformers", hugging_face, 1), ("transformers", hugging_face, 32),
                            ("CTranslate2 float32", other, 1), ("CTranslate2 float32", other, 32)):
        mine(rows), run(rows)
        pairs = [(seconds(mine, rows), seconds(run, rows)) for _ in range(arguments.rounds)]
        ratios = [b / a for a, b in pairs]
        print(f"{name}, {rows} at a time: {np.median([a for a, _ in pairs]):.2f} s, peer "
              f"{np.median([b for _, b in pairs]):.2f} s; ratios {', '.join(f'{r:.2f}' for r in ratios)}; median "
              f"{np.median(ratios):.2f}")


if __name__ == "__main__":
    main()
