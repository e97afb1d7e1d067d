"""Speed of pretrained weights: fine-tuning beside the ``transformers`` Trainer, encoding beside sentence-transformers.

    python benchmarks/pretrained_speed.py                       both
    python benchmarks/pretrained_speed.py --only encoding --pairs 1

Fine-tuning: MiniLM on sst2 with scansion's defaults; the Trainer gets as many rows a batch as scansion has on average,
the same epochs and its own usual rate for this size of model, pads each batch to its longest row, and is not asked to
evaluate on the way, while scansion's seconds hold the reading of its held-out part after every epoch.

Encoding: vectors of 2,000 sentences of mr, tokenisation included, models loaded and warm; natively and through
``scansion.export``; and the accuracy on mr's test rows of a linear head that was solved on native vectors.  Runs
alternate; a ratio above 1 means that scansion is faster.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from environment import HERE, Measured, alternating, heading, measure, median, python_of, ratios, table
from public_data import add_data_option, load, read_json, shuffled, write_json

SENTENCES = 2_000
TRAINERS_RATE = 5e-5
ENGINES = {"native": None, "ctranslate2 float32": "float32", "ctranslate2 int8": "int8"}


def tune(path: str) -> Measured:
    """Fine-tuning, as a user runs it."""
    import scansion

    train, test = read_json(path)
    model = scansion.DocumentClassifier(scansion.Pretrained(mode="fine-tuned"), random_state=0)
    for event in model.fitting(*train):
        if event.name == "epoch":
            epoch = event
    steps = int(model.fit_report_.notes[-1].split("; ")[-1].split()[0].replace(",", ""))
    return {
        "seconds": epoch.seconds, "epochs": epoch.number, "steps": steps, "fit_seconds": model.fit_report_.seconds,
        "rows": len(train[0]), "processes": max(1, model.fit_report_.workers),
        "accuracy": 100 * model.score(*test),
    }


def encode(path: str, engine: str, vectors: str) -> Measured:
    """Vectors of texts, nothing kept from before."""
    from scansion.families.pretrained import Pretrained
    from scansion.learning.frozen_encoder import FrozenEncoder
    from scansion.models.ctranslate2_encoder import CTranslate2Encoder
    from scansion.models.pretrained_encoder import read_pretrained
    from scansion.processors import cores

    texts = json.loads(Path(path).read_text())
    documents = read_pretrained(Pretrained(), [])
    encoder, precision = documents.encoder(), ENGINES[engine]
    if precision is not None:
        network = CTranslate2Encoder(encoder.network, precision, cores())
        encoder = FrozenEncoder(network, encoder.width, encoder.max_length)
    encoder.fresh_vectors(documents.tokenizer.encode(texts[:64]))
    begun = time.perf_counter()
    found = encoder.fresh_vectors(documents.tokenizer.encode(texts))
    seconds = time.perf_counter() - begun
    np.save(vectors, found)
    return {"seconds": seconds}


def accuracies(path: str) -> Measured:
    """A linear head on float vectors of training rows, asked about test rows natively and through the engine."""
    import scansion

    train, test = read_json(path)
    model = scansion.DocumentClassifier(scansion.Pretrained(mode="frozen"), random_state=0).fit(*train)
    return {
        engine: 100 * (model if precision is None else scansion.export(model, "ctranslate2", precision)).score(*test)
        for engine, precision in ENGINES.items()
    }


def cosines(first: Path, second: Path) -> float:
    """The mean cosine of two files of vectors, row by row."""
    a, b = np.load(first), np.load(second)
    return float(np.mean((a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)))


def main() -> None:
    """Every pair, then the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--only", choices=("tuning", "encoding"))
    parser.add_argument("--rows", type=int, help="of sst2 that are fine-tuned on, in place of all")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        run, *arguments = given.one
        print(json.dumps({"tune": tune, "encode": encode, "accuracies": accuracies}[run](*arguments)))
        return
    from scansion.storage.pretrained_source import find_pretrained

    weights = find_pretrained("")
    print(heading("Speed of pretrained weights", 0, ("transformers", "sentence-transformers")))

    def ours(*arguments: object) -> Measured:
        return measure(sys.executable, Path(__file__), "--one", *arguments)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if given.only in (None, "encoding"):
            texts, rows = folder / "texts.json", []
            train, test = load("mr", given.data)
            texts.write_text(json.dumps(train[0][:SENTENCES]))
            write_json(folder / "mr.json", train, test)
            accuracy = ours("accuracies", folder / "mr.json")
            for engine in ENGINES:
                mine, theirs = folder / "mine.npy", folder / "theirs.npy"
                pairs = alternating(
                    engine, given.pairs, lambda engine=engine, mine=mine: ours("encode", texts, engine, mine),
                    lambda theirs=theirs: measure(
                        python_of("sentence-transformers"), HERE / "peers" / "sentence_transformers_encoder.py",
                        weights, texts, theirs,
                    ),
                )
                each, middle = ratios(their["seconds"] / our["seconds"] for our, their in pairs)
                sides = list(zip(*pairs, strict=True))
                rows.append([engine, *(f"{median(side, 'seconds'):.2f}" for side in sides), each, middle,
                             f"{cosines(mine, theirs):.5f}", f"{accuracy[engine]:.2f}"])
            print(table("scansion | >s | >sentence-transformers s | ratio of each pair | >median ratio | >cosine "
                        "| >accuracy on mr, frozen", rows))
        if given.only in (None, "tuning"):
            path = folder / "rows.json"
            train, test = load("sst2", given.data)
            texts, labels = shuffled(train)
            write_json(path, (texts[: given.rows], labels[: given.rows]), test)
            last: Measured = {}

            def like_ours() -> list[int]:
                """As many rows a batch as scansion had on average, and as many epochs."""
                return [max(1, round(last["rows"] * last["epochs"] / last["steps"])), last["epochs"]]

            def tuned() -> Measured:
                last.update(ours("tune", path))
                return dict(last)

            pairs = alternating("tuning", given.pairs, tuned, lambda: measure(
                python_of("transformers"), HERE / "peers" / "trainer.py", weights, path, *like_ours(), TRAINERS_RATE,
            ))
            each, middle = ratios(their["seconds"] / our["seconds"] for our, their in pairs)
            mine, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
            print(table(
                "epochs | >rows a batch | >s | >Trainer's s | ratio of each pair | >median ratio | >accuracy "
                "| >Trainer's accuracy | >processes",
                [[*reversed(like_ours()), f"{median(mine, 'seconds'):.0f}", f"{median(theirs, 'seconds'):.0f}", each,
                  middle, f"{median(mine, 'accuracy'):.2f}", f"{median(theirs, 'accuracy'):.2f}",
                  mine[0]["processes"]]],
            ))


if __name__ == "__main__":
    main()
