"""Exported models beside the models they were made of: are the answers the same, and what do they cost?

    python benchmarks/exported.py documents [--sets sst2 trec ag_news] [--families lstm …] [--target onnx keras]
    python benchmarks/exported.py translators [--families transformer …]

Every document model is fitted for ten seconds at most, or for --budget, on 500 rows of a data set (an encoder on 100),
exported, and asked 500 test rows through the ``example.py`` that travels in the folder, 64 texts at a time of about one
length.  Cost is in processor seconds, alternating, as how many times as much the model of this package takes: *texts*,
everything from the text on; *arrays*, the runtime alone, given what the example has read, against the same whole.
Translators write greedily, one sentence at a time.
"""

import argparse
import gzip
import importlib.util
import tempfile
import time
from pathlib import Path

import numpy as np
from public_data import add_data_option, load

import scansion
from scansion.tasks.catalogue import fitted_task

ROUNDS, BATCH = {"onnx": 3, "keras": 1}, 64
TESTED, BUDGET = 500, "10s"
FAMILIES = {
    "bag-of-words": lambda: "bag-of-words",
    "n-grams": lambda: scansion.NGrams(static="none"),
    "n-grams, static beside": lambda: scansion.NGrams(),
    "static": lambda: "static",
    "rnn": lambda: "rnn",
    "gru": lambda: "gru",
    "lstm": lambda: "lstm",
    "transformer": lambda: "transformer",
    "MiniLM, frozen": lambda: scansion.Pretrained(mode="frozen"),
    "MiniLM, fine-tuned": lambda: scansion.Pretrained(mode="fine-tuned"),
}
TRANSLATORS = ("rnn", "gru", "lstm", "lstm-without-attention", "transformer")
ROWS, ROWS_TO_TUNE = 500, 100
PAIRS, SENTENCES = 2_000, 100


def example_of(folder):
    """The program that travels in an exported folder, as a module."""
    spec = importlib.util.spec_from_file_location("example", folder / "example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def processor_seconds(work, *given):
    """What a call takes of all threads, and what it answers."""
    begun = time.process_time()
    found = work(*given)
    return time.process_time() - begun, found


def documents(given):
    """A line for each data set, family and target."""
    print("| data set | model | target | rows | labels equal | largest difference | texts | arrays | labels given |")
    print("|---|---|---|---:|---:|---:|---:|---:|---:|")
    for name in given.sets:
        _, (texts, _) = load(name, given.data, TESTED)
        for title in given.families or FAMILIES:
            rows = ROWS_TO_TUNE if "tuned" in title else ROWS
            part, _ = load(name, given.data, rows)
            model = scansion.DocumentClassifier(FAMILIES[title](), budget=given.budget, random_state=0).fit(*part)
            for target in given.target:
                cells = compared(model, target, texts)
                print(f"| {name} | {title} | {target} | {len(texts):,} | {cells} |", flush=True)


def compared(model, target, texts):
    """The cells of one line."""
    labels = model.classes_.tolist()
    model = fitted_task(model).served(model)  # which keeps no vectors of texts that it has met
    texts = sorted(texts, key=len)
    batches = [texts[begin : begin + BATCH] for begin in range(0, len(texts), BATCH)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "folder"
        scansion.export(model, target).save(folder)
        example = example_of(folder)
        arrays, run = [], example.run

        def keeping(given):
            arrays.append(given)
            return run(given)

        example.run = keeping
        theirs = np.concatenate([example.scores(batch) for batch in batches])
        example.run = run
        ours = model.predict_proba(texts)
        same = np.array(labels)[theirs.argmax(axis=1)] == model.predict(texts)
        seconds = []
        for _ in range(ROUNDS[target]):
            seconds.append((
                processor_seconds(model.predict_proba, texts)[0],
                processor_seconds(lambda: [example.scores(batch) for batch in batches])[0],
                processor_seconds(lambda: [run(each) for each in arrays])[0],
            ))
        own, whole, alone = np.median(seconds, axis=0)
    told = f"{same.mean():.2%} | {np.abs(ours - theirs).max():.1e} | {own / whole:.2f}× | {own / alone:.2f}×"
    return f"{told} | {len(np.unique(ours.argmax(axis=1)))}"


def translators(given):
    """A line for each family."""
    lines = {}
    for language in ("en", "de"):
        for part in ("train", "test"):
            lines[part, language] = parallel(given.data, part, language)
    print("| family | sentences | translations equal |\n|---|---:|---:|")
    for family in given.families or TRANSLATORS:
        model = scansion.Translator(family, budget=BUDGET, random_state=0)
        model.fit(lines["train", "en"][:PAIRS], lines["train", "de"][:PAIRS])
        sources = lines["test", "en"][:SENTENCES]
        with tempfile.TemporaryDirectory() as place:
            scansion.export(model, "onnx").save(Path(place) / "folder")
            example = example_of(Path(place) / "folder")
            found = [example.translated(source) for source in sources]
        wanted = model.predict(sources, beam=1)
        equal = np.mean([mine == theirs for mine, theirs in zip(found, wanted, strict=True)])
        print(f"| {family} | {len(sources)} | {equal:.2%}, {len(set(wanted))} of them different |", flush=True)


def parallel(data, part, language):
    """The lines of one side of Multi30k."""
    found = sorted((data / "multi30k").glob(f"*{part}*{language}*"))[0]
    opened = gzip.open if found.suffix == ".gz" else open
    with opened(found, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("documents", "translators"))
    parser.add_argument("--sets", nargs="+", default=["sst2", "trec", "ag_news"])
    parser.add_argument("--families", nargs="+")
    parser.add_argument("--budget", default=BUDGET, help="for each fit: a model that gives one label shows nothing")
    parser.add_argument("--target", nargs="+", default=["onnx", "keras"])
    add_data_option(parser)
    arguments = parser.parse_args()
    {"documents": documents, "translators": translators}[arguments.part](arguments)
