"""How often early dropping in a comparison is right: what it says after a quarter of the rows, and what all rows give.

    python benchmarks/early_dropping.py                    every set and family
    python benchmarks/early_dropping.py --sets ag_news --families lstm transformer

Rows are of the training parts only: some are kept back and answered, the others learned from, an eighth and a quarter
of them and all, seed 0. The best family is that of the two counted ones with the better score; of imdb the first 40
words of each review are read. What a fit has got right is kept in benchmarks/runs/early_dropping, so that a run that
was stopped goes on.
"""

import argparse
import json
import random
import time

import numpy as np
from environment import HERE, heading, say, table
from public_data import add_data_option
from static_vectors import parts

import scansion
from scansion.comparison.early_dropping import SHARES, EarlyDropping
from scansion.comparison.learning_curve import in_proportion
from scansion.comparison.run import Outcome, Run
from scansion.comparison.standings import Standings
from scansion.tasks.catalogue import compared_task

SETS = {
    "trec": (1_000, 4_452), "sst2": (1_400, 5_520), "subj": (2_000, 6_000), "ag_news": (2_000, 8_000),
    "imdb": (5_000, 20_000),
}
"""Rows kept back and rows learned from, at most."""
WORDS = {"imdb": 40}
"""Of a text, where it would take too long to learn from all of them."""
COUNTED, LEARNED = ("n-grams", "bag-of-words"), ("transformer", "lstm", "rnn")
BASELINE = "majority"


def answered(given: argparse.Namespace, name: str) -> tuple[list[str], dict[tuple[str, int], dict]]:
    """The true labels of the rows kept back, and by family and rows what was right and what it took."""
    (texts, labels), _ = parts(name, given.data)
    texts = [" ".join(text.split()[: WORDS.get(name)]) for text in texts]
    held, fitted = SETS[name]
    order = np.array(random.Random(7).sample(range(len(texts)), min(len(texts), held + fitted)))
    kept, rest = order[:held], order[held:]
    codes = np.unique([labels[i] for i in rest], return_inverse=True)[1]
    rest, truth = rest[in_proportion(codes, len(rest), 0)], [labels[i] for i in kept]
    most = max(set(truth), key=truth.count)
    found = {(BASELINE, len(rest)): {"right": [label == most for label in truth], "processor": 0.0}}
    for family in (*COUNTED, *given.families):
        for share in (*(SHARES if family in given.families else ()), 1.0):
            some = rest[: round(share * len(rest))]
            file = HERE / "runs" / "early_dropping" / f"{name}-{family}-{len(some)}.json"
            if not file.exists():
                kind = scansion.NGrams(static="none") if family == "n-grams" else family
                worked = time.process_time()
                model = scansion.DocumentClassifier(kind, random_state=0)
                model.fit([texts[i] for i in some], [labels[i] for i in some])
                worked = time.process_time() - worked
                right = (model.predict([texts[i] for i in kept]) == np.array(truth)).tolist()
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps({"right": right, "processor": worked}))
                say(f"{name}, {family}, {len(some):,} rows: {100 * np.mean(right):.1f} in {worked:.0f} s")
            found[family, len(some)] = json.loads(file.read_text())
    return truth, found


def judged(name: str, given: argparse.Namespace) -> list[list[str]]:
    """A line a family: its scores, what is said of it, and how far it is from the best with all rows."""
    truth, found = answered(given, name)
    rows = max(rows for _, rows in found)
    data = compared_task("classify", truth).compared.data(
        ["text"] * (2 * len(truth)), truth * 2, "classify", None,
        ["train"] * len(truth) + ["test"] * len(truth), None, 0.2, 0,
    )
    scoring = compared_task("classify", truth).compared.scoring(data)
    others = {label: next(other for other in truth if other != label) for label in set(truth)}

    def outcome(family: str, learned: int) -> Outcome:
        right = found[family, learned]["right"]
        answers = [label if good else others[label] for label, good in zip(truth, right, strict=True)]
        part = learned if learned < rows else 0
        run = Run(family, None, 0, int(part > 0), "classify", None, part_rows=part, begins=part > 0)
        return Outcome(run, answers, {"fit_seconds": 0.0, "cut_short": False})

    lines = []
    for family in given.families:
        dropping = EarlyDropping(Standings(scoring, 1, thorough=False), BASELINE, rows)
        for each in (BASELINE, *COUNTED):
            dropping.with_standing(outcome(each, rows))
        for learned in sorted(learned for label, learned in found if label == family)[:-1]:
            dropping.with_standing(outcome(family, learned))
        said = dropping.hopeless(Run(family, None, 0, 0, "classify", None))
        best = dropping.standings.best
        mine = [found[family, learned] for label, learned in sorted(found) if label == family]
        spent = [each["processor"] for each in mine]
        both = {each: [scoring.prediction(outcome(each, rows).answers)] for each in (best, family)}
        test = scoring.paired_tests(both)[0][best, family]
        lines.append([
            name, family, *(f"{100 * np.mean(each['right']):.1f}" for each in mine),
            f"{best} {100 * np.mean(found[best, rows]['right']):.1f}", "dropped" if said else "trained",
            f"{100 * test.difference:+.1f} ({100 * test.low:.1f} to {100 * test.high:.1f})",
            f"{sum(spent[:-1]):.0f}, {spent[-1]:.0f}",
        ])
        say(f"{name}, {family}: {said or 'trained'}")
    return lines


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--families", nargs="+", default=list(LEARNED))
    given = parser.parse_args()
    lines = [line for name in given.sets for line in judged(name, given)]
    print(heading("Early dropping", 0))
    print(table("set | family | >an eighth | >a quarter | >all rows | best counted | said "
                "| >the best is ahead with all rows | >processor seconds, first rows and all", lines))


if __name__ == "__main__":
    main()
