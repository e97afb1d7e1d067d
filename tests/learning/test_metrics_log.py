"""What a kept run leaves of how it went: the same lines whether it was interrupted or not, and their picture."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

import scansion
from scansion.errors import InterruptedRunError
from scansion.learning import metrics_log
from scansion.learning.checkpointing import Checkpointing
from scansion.learning.events import Epoch, Remark, Step
from scansion.storage.metrics import METRICS, PICTURE
from scansion.tasks.encoder import pretraining

TEXTS = [f"{a} {b} and {c} thing" for a in ("red", "blue") for b in ("round", "flat", "long", "thin", "old")
         for c in "abcdefghij"]
LABELS = [text.split()[0] for text in TEXTS]
QUICK = scansion.Training(min_epochs=2, max_epochs=2, min_batch_tokens=60, max_batch_tokens=60)
SHORT = scansion.Pretraining(min_epochs=2, max_epochs=2, min_batch_tokens=60, max_batch_tokens=60)
STEP = {"event", "step", "epoch", "progress", "loss", "learning_rate", "tokens", "tokens_per_second", "seconds"}
EPOCH = {"event", "step", "epoch", "epochs", "training_loss", "held_out_error", "kept", "seconds"}
END = {"event", "step", "epoch", "epochs", "tokens", "ended"}
TIMED = {"seconds", "tokens_per_second"}


def model(pretrain: str | None = None) -> scansion.DocumentClassifier:
    return scansion.DocumentClassifier(
        scansion.RNN(width=8), training=QUICK, pretrain=pretrain, processes=1, random_state=0
    )


def keeping(folder: Path, name: str = "model") -> Checkpointing:
    return Checkpointing(folder / f"{name}.run", resume=True, seconds=0.0)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def untimed(path: Path) -> list[dict]:
    return [{name: value for name, value in line.items() if name not in TIMED} for line in lines(path)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The events of an uninterrupted fit, and the folder its curves are in."""
    folder = tmp_path_factory.mktemp("whole")
    with keeping(folder) as kept:
        events = list(model().fitting(TEXTS, LABELS, checkpointing=kept))
        assert kept.finish() == [f"training curves: {folder / 'model.curves' / PICTURE}"]
    assert [entry.name for entry in folder.iterdir()] == ["model.curves"]
    return events, folder / "model.curves"


def test_every_step_and_every_epoch_has_a_line(whole):
    events, folder = whole
    found = lines(folder / METRICS)
    assert [set(line) for line in found if line["event"] == "step"] == [STEP] * len(found[:-3])
    steps = [event for event in events if isinstance(event, Step)]
    told = [line for line in found if line["event"] == "step"]
    assert [line["step"] for line in told] == [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert [line["loss"] for line in told] == pytest.approx([step.loss for step in steps], rel=1e-5)
    assert sum(line["tokens"] for line in told) == found[-1]["tokens"]
    epochs = [event for event in events if isinstance(event, Epoch)]
    told = [line for line in found if line["event"] == "epoch"]
    assert [set(line) for line in told] == [EPOCH] * 2
    assert [line["held_out_error"] for line in told] == pytest.approx([epoch.held_out_error for epoch in epochs])
    assert [line["kept"] for line in told] == [epoch.kept for epoch in epochs]
    assert set(found[-1]) == END
    assert (found[-1]["event"], found[-1]["step"], found[-1]["epochs"]) == ("end", len(steps), 2)


def test_its_picture_says_what_the_epochs_came_to(whole):
    events, folder = whole
    picture = ElementTree.fromstring((folder / PICTURE).read_text(encoding="utf-8"))
    said = " ".join(each.text for each in picture.iter("{http://www.w3.org/2000/svg}title"))
    for event in events:
        if isinstance(event, Epoch):
            assert f"epoch {event.number}: held-out error {event.held_out_error:.3g}" in said
    assert "Training curves: rnn" in said


def fit_stopped_after(step: int, place: Checkpointing, pretrain: str | None = None) -> None:
    def asked(event) -> None:
        if isinstance(event, Step) and event.number == step:
            place.stop.ask()

    with place, pytest.raises(InterruptedRunError):
        list(map(asked, model(pretrain).fitting(TEXTS, LABELS, checkpointing=place)))


def test_a_run_that_was_stopped_and_killed_ends_with_the_lines_of_one_that_was_not(whole, tmp_path):
    fit_stopped_after(3, keeping(tmp_path))
    assert [line["step"] for line in lines(tmp_path / "model.run" / METRICS)] == [1, 2, 3]
    assert "step 3 in" in (tmp_path / "model.run" / PICTURE).read_text(encoding="utf-8")
    with keeping(tmp_path) as kept:
        kept.seconds = 1e9  # no checkpoint after this one
        for event in model().fitting(TEXTS, LABELS, checkpointing=kept):
            if isinstance(event, Step) and event.number == 6:
                break
    path = tmp_path / "model.run" / METRICS
    path.write_bytes(path.read_bytes()[:-7])  # as a power cut may leave it
    with keeping(tmp_path) as kept:
        list(model().fitting(TEXTS, LABELS, checkpointing=kept))
        kept.finish()
    assert untimed(tmp_path / "model.curves" / METRICS) == untimed(whole[1] / METRICS)


def test_pretraining_has_curves_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr("scansion.tasks.document_estimator.Pretraining", lambda: SHORT)
    for name, stops in (("whole", ()), ("broken", (3, 5))):
        for stop in stops:
            fit_stopped_after(stop, keeping(tmp_path, name), "own")
        with keeping(tmp_path, name) as kept:
            list(model("own").fitting(TEXTS, LABELS, checkpointing=kept))
            kept.finish()
    files = {METRICS, PICTURE, f"pretraining-{METRICS}", f"pretraining-{PICTURE}"}
    assert {file.name for file in (tmp_path / "whole.curves").iterdir()} == files
    for name in (METRICS, f"pretraining-{METRICS}"):
        assert untimed(tmp_path / "broken.curves" / name) == untimed(tmp_path / "whole.curves" / name)
    assert "rnn, pretraining" in (tmp_path / "whole.curves" / f"pretraining-{PICTURE}").read_text(encoding="utf-8")


def test_an_encoder_of_ones_own_and_a_translator_have_them_too(tmp_path):
    sizes = scansion.Bert(width=16, heads=2, layers=1, feed_forward=32, positions=16, dropout=0.0)
    quick = scansion.Translator("rnn", vocab_size=300, processes=1, random_state=0)
    quick.set_params(training=type(quick.training)(min_epochs=1, max_epochs=1))
    with keeping(tmp_path, "encoder") as kept:
        list(pretraining(TEXTS, sizes, vocab_size=300, training=SHORT, processes=1, random_state=0, checkpointing=kept))
        kept.finish()
    with keeping(tmp_path, "translator") as kept:
        list(quick.fitting(TEXTS[:40], LABELS[:40], checkpointing=kept))
        kept.finish()
    for name, title in (("encoder", "bert"), ("translator", "rnn")):
        found = lines(tmp_path / f"{name}.curves" / METRICS)
        assert [line["event"] for line in found[-2:]] == ["epoch", "end"]
        assert f"Training curves: {title}" in (tmp_path / f"{name}.curves" / PICTURE).read_text(encoding="utf-8")


def test_where_nothing_is_learned_step_by_step_there_is_nothing_to_see_and_older_curves_go(whole, tmp_path):
    shutil.copytree(whole[1], tmp_path / "model.curves")
    with keeping(tmp_path) as kept:
        list(scansion.DocumentClassifier("bag-of-words").fitting(TEXTS, LABELS, checkpointing=kept))
        assert kept.finish() == []
    assert not list(tmp_path.iterdir())


def test_a_disk_that_takes_no_metrics_costs_the_curves_and_no_training(whole, tmp_path, monkeypatch):
    def full(self, line):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(metrics_log.Metrics, "add", full)
    estimator = model()
    with keeping(tmp_path) as kept:
        events = list(estimator.fitting(TEXTS, LABELS, checkpointing=kept))
        assert kept.finish() == []
    assert [event.message for event in events if isinstance(event, Remark)][1:] == [
        f"Warning: the training goes on, and its curves do not: {tmp_path / 'model.run'} cannot be written (No space "
        "left on device)."
    ]
    assert [event.loss for event in events if isinstance(event, Step)] == [
        event.loss for event in whole[0] if isinstance(event, Step)
    ]


def test_curves_that_cannot_stay_are_told_of_and_the_run_goes(tmp_path):
    (tmp_path / "model.curves").mkdir()
    (tmp_path / "model.curves" / "mine.txt").write_text("mine")
    with keeping(tmp_path) as kept:
        list(model().fitting(TEXTS, LABELS, checkpointing=kept))
        (said,) = kept.finish()
    assert said.startswith("Warning: the training curves are lost.")
    assert not (tmp_path / "model.run").exists()
