"""Speed of a translator beside JoeyNMT, a Hugging Face Marian model and CTranslate2.

    python benchmarks/translation_speed.py MODEL                    MODEL: what benchmarks/translation.py trained
    python benchmarks/translation_speed.py MODEL --only training
    python benchmarks/translation_speed.py MODEL --only translating --pairs 1

Training: target tokens a second on Multi30k, the same sub-words and sizes, each with its own batches (JoeyNMT: 4,096
tokens).  scansion's side is three epochs of ``Translator.fit`` with the held-out part read after each, in as many
processes as it chooses.

Translating: seconds for test_2016_flickr with five beams, sub-words given, models loaded; scansion natively and through
``scansion.export``.  JoeyNMT has the same weights, CTranslate2 the exported ones, Marian random ones of the same shape
that write as much (see the scripts in ``peers``), with its sentences as they come and, though nobody has to, sorted.
Runs alternate; a ratio above 1 means that scansion is faster.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from environment import HERE, Measured, alternating, cores, heading, measure, median, python_of, ratios, table
from public_data import add_data_option
from translation import write_text

TEST = "test_2016_flickr"
BEAM = 5
EPOCHS = 3
JOEYNMT_UPDATES = 30
JOEYNMT_BATCH, MARIAN_BATCH, PLAIN_BATCH = 64, 64, 32
ENGINES = {"native": None, "ctranslate2 float32": "float32", "ctranslate2 int8": "int8"}
PEERS = {
    "JoeyNMT": "native", "Marian": "native", "Marian, sorted": "native", "CTranslate2 float32": "native",
    "CTranslate2 float32 ": "ctranslate2 float32", "CTranslate2 int8": "ctranslate2 int8",
}
COLUMNS = "scansion | peer | >s | >peer's s | ratio of each pair | >median ratio | >same translations"


def train(model: str, data: str) -> Measured:
    """As few epochs as are long enough for two processes, in batches of the size that the whole recipe has."""
    import scansion

    family = scansion.load(model).fitted_.family
    sides = [(Path(data) / f"train.{language}").read_text(encoding="utf-8").splitlines() for language in ("en", "de")]
    subwords = scansion.load(model).fitted_.tokenizer
    lengths = np.maximum(*(subwords.encode(side).lengths for side in sides))
    batch = scansion.TranslationTraining().batch_tokens(int(lengths.sum()))
    training = scansion.TranslationTraining(
        min_epochs=EPOCHS, max_epochs=EPOCHS, min_batch_tokens=batch, max_batch_tokens=batch
    )
    translator = scansion.Translator(family, training=training, random_state=0)
    for event in translator.fitting(*sides):
        if event.name == "epoch":
            epoch = event
    kept = round((1 - training.validation_fraction) * len(sides[1]))
    tokens = int(translator.fitted_.tokenizer.encode(sides[1]).lengths.sum() * kept / len(sides[1]))
    return {"tokens_per_second": EPOCHS * tokens / epoch.seconds, "processes": max(1, translator.fit_report_.workers)}


def translate(model: str, data: str, engine: str) -> Measured:
    """The test set, natively or by an engine."""
    import scansion
    from scansion.models.native_translator import NativeTranslator

    translator = scansion.load(model)
    sources = (Path(data) / f"{TEST}.en").read_text(encoding="utf-8").splitlines()
    encoded, precision = translator.fitted_.tokenizer.encode(sources), ENGINES[engine]
    runs = NativeTranslator(translator.fitted_)
    if precision is not None:
        runs = scansion.export(translator, "ctranslate2", precision)
    runs.hypotheses(translator.fitted_.tokenizer.encode(sources[:2]), BEAM, 1)
    begun = time.perf_counter()
    found = runs.hypotheses(encoded, BEAM, 1)
    seconds, each = time.perf_counter() - begun, []
    for source in sources[:200]:
        alone = translator.fitted_.tokenizer.encode([source])
        started = time.perf_counter()
        runs.hypotheses(alone, BEAM, 1)
        each.append(1000 * (time.perf_counter() - started))
    pieces = translator.fitted_.tokenizer.subwords
    return {
        "seconds": seconds, "found": [[pieces[token] for token in hypotheses[0].tokens] for hypotheses in found],
        "milliseconds": each,
    }


def write_peers(model: Path, data: Path, folder: Path) -> None:
    """The same model and data as each peer takes them."""
    import scansion
    from scansion.models.native_translator import NativeTranslator

    translator = scansion.load(model)
    subwords, options = translator.fitted_.tokenizer, translator.fitted_.family
    (folder / "pieces.txt").write_text("\n".join(subwords.subwords) + "\n", encoding="utf-8")
    sizes = ("width", "layers", "heads", "feed_forward", "dropout")
    (folder / "sizes.json").write_text(
        json.dumps({"pieces": len(subwords)} | {name: getattr(options, name) for name in sizes})
    )
    np.savez(folder / "weights.npz", **{n: t.numpy() for n, t in translator.fitted_.model.state_dict().items()})
    for name, part in (("train", "train"), ("dev", "val"), ("test", TEST)):
        for language in ("en", "de"):
            lines = (data / f"{part}.{language}").read_text(encoding="utf-8").splitlines()
            cut = (" ".join(subwords.subwords[i] for i in _ids(subwords, line)[:-1]) for line in lines)
            (folder / f"{name}.{language}").write_text("\n".join(cut) + "\n", encoding="utf-8")
    sources = (data / f"{TEST}.en").read_text(encoding="utf-8").splitlines()
    ids = [_ids(subwords, source) for source in sources]
    (folder / "sources.json").write_text(json.dumps(ids))
    (folder / "pieces.json").write_text(json.dumps([[subwords.subwords[i] for i in each] for each in ids]))
    found = NativeTranslator(translator.fitted_).hypotheses(subwords.encode(sources), BEAM, 1)
    (folder / "lengths.json").write_text(json.dumps([len(each[0].tokens) + 1 for each in found]))
    scansion.export(translator, "ctranslate2").save(folder / "engine")


def _ids(subwords: object, text: str) -> list[int]:
    return subwords.encode([text]).ids[:].tolist()


def peer_run(peer: str, folder: Path) -> Measured:
    """The test set by a peer."""
    peers = HERE / "peers"
    if peer == "JoeyNMT":
        script = peers / "joeynmt_translator.py"
        found = measure(python_of("joeynmt"), script, "translate", folder, JOEYNMT_BATCH)
        return found | {"found": [line.split() for line in Path(found["file"]).read_text("utf-8").splitlines()]}
    if peer.startswith("Marian"):
        order = "sorted" if peer.endswith("sorted") else "file"
        return measure(python_of("marian"), peers / "marian_translator.py", folder, MARIAN_BATCH, order)
    precision = peer.split()[-1]
    return measure(python_of("ctranslate2"), peers / "ctranslate2_translator.py", folder, precision, PLAIN_BATCH)


def row(ours: str, peer: str, pairs: list[tuple[Measured, Measured]]) -> list[str]:
    """A line of the table."""
    mine, theirs = zip(*pairs, strict=True)
    each, middle = ratios(their["seconds"] / our["seconds"] for our, their in pairs)
    same = "-"
    if "found" in theirs[0]:
        same = f"{np.mean([a == b for a, b in zip(mine[0]['found'], theirs[0]['found'], strict=True)]):.1%}"
    return [
        ours, peer.strip(), f"{median(mine, 'seconds'):.2f}", f"{median(theirs, 'seconds'):.2f}", each, middle, same
    ]


def main() -> None:
    """Every pair, then the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("model", type=Path)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--only", choices=("training", "translating", "latency"))
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        run, *arguments = given.one
        print(json.dumps({"train": train, "translate": translate}[run](str(given.model), *arguments)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder, data = Path(temporary) / "peers", Path(temporary) / "data"
        folder.mkdir()
        write_text(given.data, "tokenised", data)
        write_peers(given.model, data, folder)
        print(heading("Speed of a translator", 0, ("joeynmt", "marian", "ctranslate2")))

        def ours(*arguments: object) -> Measured:
            return measure(sys.executable, Path(__file__), given.model, "--one", *arguments)

        if given.only in (None, "training"):
            script = HERE / "peers" / "joeynmt_translator.py"
            pairs = alternating("training", given.pairs, lambda: ours("train", data), lambda: measure(
                python_of("joeynmt"), script, "train", folder, JOEYNMT_UPDATES
            ))
            each, middle = ratios(our["tokens_per_second"] / their["tokens_per_second"] for our, their in pairs)
            mine, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
            print(table("target tokens/s | >JoeyNMT's | ratio of each pair | >median ratio | >processes", [[
                f"{median(mine, 'tokens_per_second'):,.0f}", f"{median(theirs, 'tokens_per_second'):,.0f}", each,
                middle, mine[0]["processes"],
            ]]))
        if given.only in (None, "translating"):
            rows = []
            for peer, engine in PEERS.items():
                pairs = alternating(
                    f"{engine} and {peer}", given.pairs, lambda engine=engine: ours("translate", data, engine),
                    lambda peer=peer: peer_run(peer, folder),
                )
                rows.append(row(engine, peer, pairs))
            print(table(COLUMNS, rows))
        if given.only in (None, "latency"):
            rows = []
            for name, engine in (("native", None), ("CTranslate2", "float32"), ("CTranslate2", "int8")):
                if engine is None:
                    found = ours("translate", data, "native")
                else:
                    script = HERE / "peers" / "ctranslate2_translator.py"
                    found = measure(python_of("ctranslate2"), script, folder, engine, 1)
                half, most = np.percentile(found["milliseconds"], [50, 95])
                rows.append([f"{name} {engine or ''}".strip(), f"{half:.1f}", f"{most:.1f}"])
            print(f"One sentence at a time, {cores()} processors.\n")
            print(table("decoder | >p50 ms | >p95 ms", rows))


if __name__ == "__main__":
    main()
