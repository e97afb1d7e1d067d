"""What every family of the catalogue promises beside fitting and predicting, run over the tables.

``look`` and ``explain``, two processes, pretraining on one's own texts, going on with a stopped run, and ``compare``:
whoever adds a family to the catalogue is tested here without adding a line.
"""

import numpy as np
import pytest

from scansion.comparison.compare import compare
from scansion.errors import InterruptedRunError
from scansion.families.catalogue import DOCUMENT_FAMILIES, TRANSLATION_FAMILIES
from scansion.learning.checkpointing import Checkpointing
from scansion.learning.training import Training, TranslationTraining
from scansion.storage.run_folder import run_folder_of
from scansion.tasks.catalogue import load, look
from scansion.tasks.classifier import DocumentClassifier
from scansion.tasks.translator import Translator
from scansion.testing import ENDINGS, OPENINGS
from small_families import LEARNED, PRETRAINABLE, SMALL, SMALL_LANGUAGE, SMALL_TRANSLATORS

pytestmark = pytest.mark.usefixtures("warm_processes")

TEXTS = [f"{text} number {i % 3}" for i in range(6) for text in (*OPENINGS, *ENDINGS)]
LABELS = ["up" if i % 8 < 4 else "down" for i in range(len(TEXTS))]
QUICK = Training(max_epochs=4, min_epochs=4, min_batch_tokens=128, max_batch_tokens=128)
SOURCES = [f"{a} {b}" for a in ("red", "blue", "green", "white") for b in ("cat", "dog", "bird", "fish", "cow")]
TARGETS = [" ".join(reversed(source.upper().split())) for source in SOURCES]
QUICK_TRANSLATION = TranslationTraining(max_epochs=4, min_epochs=4, min_batch_tokens=64, max_batch_tokens=64)


def classifier(family, **arguments):
    return DocumentClassifier(family, **{"training": QUICK, "processes": 1, "random_state": 0} | arguments)


def translator(family, **arguments):
    shared = {"training": QUICK_TRANSLATION, "vocab_size": 280, "processes": 1, "random_state": 0}
    return Translator(family, **shared | arguments)


@pytest.fixture(scope="module")
def fitted():
    return {name: classifier(family).fit(TEXTS, LABELS) for name, family in SMALL.items()}


@pytest.fixture(scope="module")
def translators():
    return {name: translator(family).fit(SOURCES, TARGETS) for name, family in SMALL_TRANSLATORS.items()}


@pytest.mark.parametrize("name", list(DOCUMENT_FAMILIES))
def test_what_tokens_add_makes_up_the_score(name, fitted):
    found = fitted[name].explain(TEXTS[0])
    assert len(found.tokens) == len(found.contributions) == len(found.offsets)
    assert np.isfinite(found.contributions).all()
    assert found.base + found.contributions.sum() == pytest.approx(found.score, abs=0.02 * abs(found.score) + 0.02)


@pytest.mark.parametrize("name", list(DOCUMENT_FAMILIES))
def test_a_look_shows_every_word_and_the_familys_own_parts(name, fitted, tmp_path):
    page = fitted[name].look(TEXTS[0])
    (model,) = page.models
    assert len(model.contributions) == len(page.words)
    tracks = {track.name for track in model.tracks}
    assert ("movement" in tracks) == (getattr(SMALL[name], "trace", None) is not None)
    assert model.fidelity is None or model.fidelity < 1e-4
    page.save(tmp_path / "look.html")
    assert (tmp_path / "look.html").stat().st_size > 1_000


def test_all_families_are_looked_at_side_by_side(fitted):
    assert len(look(list(fitted.values()), TEXTS[0]).models) == len(DOCUMENT_FAMILIES)


@pytest.mark.parametrize("name", list(LEARNED))
def test_two_processes_train_what_one_trains(name):
    one, two = (classifier(LEARNED[name], processes=processes).fit(TEXTS, LABELS) for processes in (1, 2))
    assert two.fit_report_.workers == 2
    np.testing.assert_allclose(two.decision_function(TEXTS), one.decision_function(TEXTS), atol=0.05)


@pytest.mark.parametrize("name", list(PRETRAINABLE))
def test_texts_without_answers_are_learned_from_first(name, tmp_path):
    model = classifier(PRETRAINABLE[name], pretrain="own").fit(TEXTS, LABELS, unlabelled=TEXTS[::2])
    assert model.fit_report_.notes[0].startswith(f"pretrained on {len(TEXTS) + len(TEXTS[::2])} texts")
    model.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").decision_function(TEXTS), model.decision_function(TEXTS))


@pytest.mark.parametrize("name", list(LEARNED))
def test_a_stopped_run_goes_on_to_the_very_weights(name, fitted, tmp_path):
    resumed = stopped_and_resumed(
        lambda: classifier(LEARNED[name]),
        lambda model, kept: model.fitting(TEXTS, LABELS, checkpointing=kept),
        tmp_path,
    )
    assert np.array_equal(resumed.decision_function(TEXTS), fitted[name].decision_function(TEXTS))


def test_every_family_takes_part_in_a_comparison():
    families = [family for name, family in SMALL.items() if name != "baseline"]
    found = compare(TEXTS, LABELS, families, seeds=1, processes=1)
    assert not found.failed
    assert {row.family for row in found.rows} == {*DOCUMENT_FAMILIES} - {"baseline"} | {"majority"}


def test_every_language_family_takes_part_in_a_comparison_and_is_told_of_in_its_report(tmp_path):
    found = compare(TEXTS, families=list(SMALL_LANGUAGE.values()), task="language", seeds=1, processes=1)
    assert not found.failed
    assert {row.family for row in found.rows} == SMALL_LANGUAGE.keys()
    found.save(tmp_path / "report")
    for page in ("report.md", "report.html"):
        told = (tmp_path / "report" / page).read_text()
        assert "order 6; network transformer (width 16, heads 2, " in told.replace("**", "")


@pytest.mark.parametrize("name", list(TRANSLATION_FAMILIES))
def test_a_translator_is_looked_at_saved_and_loaded(name, translators, tmp_path):
    model = translators[name]
    page = model.look("red cat", "CAT RED")
    assert page.target == "CAT RED"
    assert np.isfinite(page.arrays()["log_probabilities"]).all()
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").predict(SOURCES) == model.predict(SOURCES)


@pytest.mark.parametrize("name", list(TRANSLATION_FAMILIES))
def test_two_processes_train_the_translator_that_one_trains(name, translators):
    two = translator(SMALL_TRANSLATORS[name], processes=2).fit(SOURCES, TARGETS)
    assert two.fit_report_.workers == 2
    assert two.fit_report_.perplexity == pytest.approx(translators[name].fit_report_.perplexity, rel=0.01)


@pytest.mark.parametrize("name", list(TRANSLATION_FAMILIES))
def test_a_translators_stopped_run_goes_on_to_the_very_weights(name, translators, tmp_path):
    resumed = stopped_and_resumed(
        lambda: translator(SMALL_TRANSLATORS[name]),
        lambda model, kept: model.fitting(SOURCES, TARGETS, checkpointing=kept), tmp_path,
    )
    mine, theirs = (each.check_fitted().model.state_dict() for each in (resumed, translators[name]))
    assert all(np.array_equal(mine[key], theirs[key]) for key in theirs)


def stopped_and_resumed(fresh, fitting, folder):
    """An estimator whose run was stopped in the middle of its second epoch and gone on with."""
    place = run_folder_of(folder / "model")
    with Checkpointing(place, seconds=0.0) as kept:
        events = fitting(fresh(), kept)
        with pytest.raises(InterruptedRunError):
            stop_in_the_second_epoch(events, kept)
    model = fresh()
    with Checkpointing(place, resume=True) as kept:
        remarks = [event.message for event in fitting(model, kept) if event.name == "remark"]
    assert any("Going on with the run" in remark for remark in remarks)
    return model


def stop_in_the_second_epoch(events, kept):
    for event in events:
        if event.name == "step" and event.epoch == 1:
            kept.stop.ask()
