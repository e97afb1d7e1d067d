"""The contract, over every family and both tasks; and estimators that break it, each in one way."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from scansion.errors import UsageError
from scansion.families.catalogue import DOCUMENT_FAMILIES
from scansion.families.pretrained import Pretrained
from scansion.learning.training import Training
from scansion.tasks.classifier import DocumentClassifier
from scansion.tasks.regressor import DocumentRegressor
from scansion.testing import check_text_estimator, text_estimator_checks
from scansion.text.documents import check_documents
from small_families import ENCODER, LEARNED, SMALL

QUICK = Training(max_epochs=12, min_epochs=12, min_batch_tokens=128, max_batch_tokens=128, label_smoothing=0.0)
BRIEF = replace(QUICK, max_epochs=6, min_epochs=6)  # enough for the contract's own texts
MORE = {"pretrained, frozen": Pretrained(ENCODER, "frozen")}


def estimators():
    for name, family in {**{name: SMALL[name] for name in DOCUMENT_FAMILIES}, **MORE}.items():
        shared = {"training": BRIEF, "processes": 1, "random_state": 0}
        yield name, DocumentClassifier(family, **shared)
        yield name, DocumentRegressor(family, **shared)


CHECKS = [(name, check) for name, estimator in estimators() for check in text_estimator_checks(estimator)]
SAVED = "saved_and_loaded_answers_equally"  # starts a process; of all families but one in the same, below


def cases():
    for name, check in CHECKS:
        if name == "baseline" and check.name == "a_small_set_is_learned":
            continue  # it sees nothing, on purpose
        if check.name != SAVED or (name, check.subject.kind) == ("lstm", "labels"):
            yield pytest.param(check, id=f"{name}-{check.subject.kind}-{check.name}")


@pytest.mark.parametrize("check", list(cases()))
def test_every_family_keeps_the_contract(check):
    check()


def test_every_familys_folder_answers_the_same_in_a_fresh_process(tmp_path):
    subjects = [check.subject for _, check in CHECKS if check.name == SAVED]
    for number, subject in enumerate(subjects):
        subject.fitted.save(tmp_path / str(number))
    (tmp_path / "texts.json").write_text(json.dumps(subjects[0].texts))
    program = (
        "import json, numpy, scansion; from pathlib import Path; texts = json.loads(Path('texts.json').read_text())\n"
        "for place in [place for place in Path().iterdir() if place.is_dir()]:\n"
        "    numpy.save(f'{place}.npy', scansion.load(place).decision_function(texts))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, cwd=tmp_path)
    assert len(subjects) == 2 * len(DOCUMENT_FAMILIES) + 2 * len(MORE)
    for number, subject in enumerate(subjects):
        found = np.load(tmp_path / f"{number}.npy")
        assert np.array_equal(found, subject.fitted.decision_function(subject.texts)), subject.estimator


@pytest.mark.parametrize("name", [name for name in DOCUMENT_FAMILIES if name != "baseline"])
def test_every_family_answers_several_labels_a_document(name):
    texts = [f"{'red' if i % 2 else 'blue'} {'round' if i % 3 else 'square'} thing" for i in range(60)]
    sets = [(text.split()[0], text.split()[1]) for text in texts]
    model = DocumentClassifier(SMALL[name], training=QUICK, processes=1, random_state=0).fit(texts, sets)
    assert model.predict(texts).shape == (60, 4)
    assert model.score(texts, sets) > 0.8
    assert model.fitted_.answers(model.decision_function(["blue round thing"])) == [("blue", "round")]


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("name", list(DOCUMENT_FAMILIES))
def test_a_row_of_weight_nought_is_no_row(name, class_weight):
    texts = [f"{'good' if i % 3 else 'bad'} film number {i % 5}" for i in range(40)]
    labels = ["up" if i % 3 else "down" for i in range(40)]
    model = DocumentClassifier(
        SMALL[name], class_weight=class_weight, training=BRIEF, processes=1, random_state=0
    )
    without = model.fit(texts, labels).predict_proba(texts)
    odd, wrong = ["an odd row", "good film number 1"], ["odd", "down"]
    with_nought = model.fit(odd + texts, wrong + labels, sample_weight=[0.0] * 2 + [1.0] * 40)
    assert np.array_equal(with_nought.predict_proba(texts), without)
    assert list(with_nought.classes_) == ["down", "up"]


def test_a_row_of_weight_nought_need_have_no_answer():
    texts, labels = ["good film", "bad film", "who knows"] * 8, ["up", "down", None] * 8
    weights = [1.0, 1.0, 0.0] * 8
    for targets in (labels, np.array(labels, object), dict(enumerate(labels)).values()):
        model = DocumentClassifier("bag-of-words", random_state=0).fit(texts, targets, sample_weight=weights)
        assert list(model.classes_) == ["down", "up"]


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (["x"] * 4, "must be numbers"),
        ([1.0, -1.0, 1.0, 1.0], "at least 0"),
        ([1.0, float("nan"), 1.0, 1.0], "finite"),
        ([[1.0]] * 4, "shape"),
        ([1.0] * 3, "3 weights but 4 targets"),
        ([0.0] * 4, "Every sample_weight is 0"),
    ],
)
def test_weights_that_fit_nothing_are_refused(weights, sentence):
    with pytest.raises(UsageError, match=sentence):
        DocumentClassifier("bag-of-words").fit(["a", "b", "c", "d"], list("xyxy"), sample_weight=weights)


def test_a_score_wants_a_target_a_text():
    model = DocumentClassifier("bag-of-words").fit(["a", "b", "c", "d"], list("xyxy"))
    with pytest.raises(UsageError, match="2 texts but 1 targets"):
        model.score(["a", "b"], ["x"])


@pytest.mark.parametrize("name", list(LEARNED))
def test_balanced_weights_help_the_rare_label(name):
    texts = [f"plain thing {i % 7}" for i in range(90)] + [f"plain odd thing {i % 3}" for i in range(9)]
    labels = ["common"] * 90 + ["rare"] * 9
    shares = []
    for weight in (None, "balanced"):
        model = DocumentClassifier(SMALL[name], class_weight=weight, training=QUICK, processes=1, random_state=0)
        shares.append(model.fit(texts, labels).predict_proba(texts)[:, 1].mean())
    assert shares[1] > shares[0]


class ThirdParty(ClassifierMixin, BaseEstimator):
    """A stranger's estimator: scikit-learn's own parts behind a check of the texts."""

    def __init__(self, strength=10.0):
        self.strength = strength

    def fit(self, texts, labels):
        texts = list(check_documents(texts))
        if len(texts) != len(labels) or any(label is None for label in labels):
            raise ValueError("Give one label a text.")
        self.pipeline_ = make_pipeline(TfidfVectorizer(token_pattern=r"\S+"), LogisticRegression(C=self.strength))
        self.pipeline_.fit(texts, labels)
        self.classes_ = self.pipeline_.classes_
        return self

    def predict_proba(self, texts):
        if not hasattr(self, "pipeline_"):
            raise NotFittedError("Call fit first.")
        texts = list(check_documents(texts))
        return self.pipeline_.predict_proba(texts) if texts else np.zeros((0, len(self.classes_)))

    def predict(self, texts):
        shares = self.predict_proba(texts)
        return self.classes_[shares.argmax(axis=1)]


def test_a_strangers_estimator_can_keep_it_too():
    check_text_estimator(ThirdParty())


class ReplacesArguments(ThirdParty):
    def __init__(self, strength=10.0):
        self.strength = float(str(strength))


class ReturnsNothing(ThirdParty):
    def fit(self, texts, labels):
        super().fit(texts, labels)


class TakesAString(ThirdParty):
    def predict_proba(self, texts):
        return super().predict_proba([texts] if isinstance(texts, str) else texts)


class TakesHoles(ThirdParty):
    def fit(self, texts, labels):
        return super().fit(["" if text is None else text for text in texts], labels)


class LeansOnItsNeighbours(ThirdParty):
    def predict_proba(self, texts):
        shares = super().predict_proba(texts)
        return shares * 0.9 + 0.1 * shares.mean(axis=0) if len(shares) else shares


class DrawsAtRandom(ThirdParty):
    def predict_proba(self, texts):
        shares = super().predict_proba(texts) + np.random.default_rng().random((len(texts), 1)) * [[0.02, -0.02]]
        return shares


class Seeds(ThirdParty):
    def fit(self, texts, labels):
        np.random.seed(0)
        return super().fit(texts, labels)


class SortsTheCallersList(ThirdParty):
    def fit(self, texts, labels):
        super().fit(texts, labels)
        if isinstance(texts, list):
            texts.append(texts.pop(0))
        return self


class Remembers(ThirdParty):
    def fit(self, texts, labels):
        if hasattr(self, "pipeline_"):
            return self
        return super().fit(texts, labels)


class ForgetsTheLast(ThirdParty):
    def predict(self, texts):
        return super().predict(texts)[:-1]


class TurnsLabelsIntoText(ThirdParty):
    def fit(self, texts, labels):
        return super().fit(texts, [None if label is None else str(label) for label in labels])


class CountsEveryRow(ThirdParty):
    def fit(self, texts, labels, sample_weight=None):
        return super().fit(texts, labels)


class WithoutProbabilities(ClassifierMixin, BaseEstimator):
    def fit(self, texts, labels):
        self.inner_ = ThirdParty().fit(texts, labels)
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, texts):
        if not hasattr(self, "inner_"):
            raise NotFittedError("Call fit first.")
        return self.inner_.predict(texts)


def test_a_strangers_estimator_may_answer_with_labels_alone():
    check_text_estimator(WithoutProbabilities())


class Guesses(ThirdParty):
    def predict(self, texts):
        return np.array(["up"] * len(texts))


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (ReplacesArguments(3), "the_constructor_stores_its_arguments_untouched"),
        (ReturnsNothing(), "fit_returns_the_estimator"),
        (TakesAString(), "one_text_for_many_is_refused"),
        (TakesHoles(), "a_missing_text_is_refused"),
        (LeansOnItsNeighbours(), "batches_change_nothing"),
        (DrawsAtRandom(), "the_same_seed_gives_the_same_answers"),
        (Seeds(), "global_state_is_left_alone"),
        (SortsTheCallersList(), "fit_leaves_its_inputs_alone"),
        (Remembers(), "fit_twice_is_fit_once"),
        (ForgetsTheLast(), "there_is_one_answer_a_text"),
        (TurnsLabelsIntoText(), "labels_are_sorted_and_keep_their_type"),
        (Guesses(), "predict_before_fit_is_an_error"),
        (CountsEveryRow(), "a_row_of_weight_nought_has_no_say"),
    ],
)
def test_each_broken_promise_is_caught_by_its_check(broken, check):
    promise = next(each for each in text_estimator_checks(broken) if each.name == check)
    with pytest.raises(AssertionError, match=check):
        promise()
