"""``check_text_estimator``: what an estimator over texts promises, one named check a promise.

scikit-learn's own estimator checks skip everything that is not a numeric table.  These take their place for texts,
for scansion's estimators and for anybody's:

    from scansion.testing import check_text_estimator
    check_text_estimator(MyTextClassifier())

or one test a check, with pytest:

    @pytest.mark.parametrize("check", text_estimator_checks(MyTextClassifier()), ids=str)
    def test_my_classifier(check):
        check()
"""

import os
import random
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

BOTH, ONLY_LABELS, ONLY_NUMBERS = ("labels", "numbers"), ("labels",), ("numbers",)
TOLERANCE = 1e-4
OPENINGS = ("a warm and funny film", "what a quiet marvel", "funny , warm and wise", "a marvel of wit")
ENDINGS = ("a dull and empty film", "what a hollow bore", "dull , empty and loud", "a bore without wit")


@dataclass(frozen=True)
class Check:
    """One promise, bound to an estimator: call it; AssertionError says how it is broken."""

    name: str
    promise: Callable[["Subject"], None]
    subject: "Subject"

    def __call__(self) -> None:
        try:
            self.promise(self.subject)
        except AssertionError as broken:
            raise AssertionError(f"{self.name}: {broken}") from broken

    def __str__(self) -> str:
        return self.name


class Subject:
    """An estimator under test, with texts and targets it can learn; fitted once for all checks that only look."""

    def __init__(self, estimator: BaseEstimator) -> None:
        self.estimator = estimator
        self.kind = "numbers" if is_regressor(estimator) else "labels"
        self.texts = [f"{text} number {i % 3}" for i in range(6) for text in (*OPENINGS, *ENDINGS)]
        self.labels = ["up" if i % 8 < 4 else "down" for i in range(len(self.texts))]
        self.numbers = [1.5 + 0.1 * (i % 3) if i % 8 < 4 else -1.5 for i in range(len(self.texts))]

    @property
    def targets(self) -> list[Any]:
        """What belongs to ``texts``."""
        return self.numbers if self.kind == "numbers" else self.labels

    def fresh(self) -> Any:
        """An unfitted copy."""
        return clone(self.estimator)

    @cached_property
    def fitted(self) -> Any:
        """A fitted copy; checks must not fit it again."""
        return self.fresh().fit(self.texts, self.targets)

    @cached_property
    def refitted(self) -> tuple[Any, Any, bool, list[str]]:
        """Another fitted copy; what ``fit`` returned, whether its inputs are as they were, what else has changed."""
        model, texts, targets, before = self.fresh(), list(self.texts), list(self.targets), _global_state()
        returned = model.fit(texts, targets)
        model.predict(self.texts[:2])
        changed = [name for name, value in _global_state().items() if value != before[name]]
        return model, returned, (texts, targets) == (self.texts, self.targets), changed

    def outputs(self, model: Any, texts: Sequence[str]) -> np.ndarray:
        """The finest answer the estimator gives: probabilities where it has them, else numbers or label numbers."""
        if hasattr(model, "predict_proba"):
            return np.asarray(model.predict_proba(texts), float)
        answers = model.predict(texts)
        return np.asarray(answers if self.kind == "numbers" else np.searchsorted(model.classes_, answers), float)


def check_text_estimator(estimator: BaseEstimator) -> None:
    """Run every check. AssertionError with the check's name at the first broken promise."""
    for check in text_estimator_checks(estimator):
        check()


def text_estimator_checks(estimator: BaseEstimator) -> list[Check]:
    """The checks that apply to this estimator."""
    subject = Subject(estimator)
    kinds = {**dict.fromkeys(PROMISES, BOTH), **dict.fromkeys(LABEL_PROMISES, ONLY_LABELS)}
    kinds |= dict.fromkeys(NUMBER_PROMISES, ONLY_NUMBERS)
    if not hasattr(estimator, "save"):
        del kinds[saved_and_loaded_answers_equally]
    return [Check(promise.__name__, promise, subject) for promise, on in kinds.items() if subject.kind in on]


def _require(holds: Any, sentence: str) -> None:
    if not holds:
        raise AssertionError(sentence)


def _refused(action: Callable[[], Any], what: str) -> None:
    try:
        action()
    except (ValueError, TypeError):
        return
    raise AssertionError(f"{what} is accepted; expected a ValueError or TypeError that says what to do")


# Construction


def the_constructor_stores_its_arguments_untouched(subject: Subject) -> None:
    """``get_params`` gives back the very objects."""
    given = subject.estimator.get_params(deep=False)
    again = type(subject.estimator)(**given)
    changed = [name for name, value in again.get_params(deep=False).items() if value is not given[name]]
    _require(not changed, f"the constructor replaces {', '.join(changed)}; validate in fit instead")


def a_clone_has_the_same_parameters(subject: Subject) -> None:
    """``clone`` copies parameters and nothing learned."""
    _require(repr(subject.fresh()) == repr(subject.estimator), "a clone has other parameters")


def an_unknown_parameter_is_refused(subject: Subject) -> None:
    """``set_params`` names what it does not know."""
    _refused(lambda: subject.fresh().set_params(no_such_parameter=1), "an unknown parameter")


# Fitting


def fit_returns_the_estimator(subject: Subject) -> None:
    """So that calls can be chained."""
    _require(subject.refitted[1] is subject.refitted[0], "fit does not return the estimator itself")


def predict_before_fit_is_an_error(subject: Subject) -> None:
    """scikit-learn's NotFittedError, or one with the same two parents; not a guess, and not an accident."""
    try:
        subject.fresh().predict(subject.texts[:1])
    except Exception as error:
        if isinstance(error, ValueError) and isinstance(error, AttributeError):
            return
        raise AssertionError(f"predict before fit raises {type(error).__name__}; expected a NotFittedError") from error
    raise AssertionError("predict before fit gives an answer; expected a NotFittedError")


def one_text_for_many_is_refused(subject: Subject) -> None:
    """A string is a sequence of letters, which nobody means."""
    _refused(lambda: subject.fitted.predict("one text"), "a single string in place of a list")


def a_generator_is_refused(subject: Subject) -> None:
    """It can be read only once, and training reads more often."""
    _refused(lambda: subject.fresh().fit((text for text in subject.texts), subject.targets), "a generator of texts")


def unequal_lengths_are_refused(subject: Subject) -> None:
    """One target a text."""
    _refused(lambda: subject.fresh().fit(subject.texts, subject.targets[:-1]), "a missing target at the end")


def a_missing_target_is_refused(subject: Subject) -> None:
    """NaN or None is not an answer."""
    hole = float("nan") if subject.kind == "numbers" else None
    _refused(lambda: subject.fresh().fit(subject.texts, [hole, *subject.targets[1:]]), "a target that is missing")


def a_missing_text_is_refused(subject: Subject) -> None:
    """None is not a text; the empty string is."""
    _refused(lambda: subject.fresh().fit([None, *subject.texts[1:]], subject.targets), "a text that is None")


def fit_twice_is_fit_once(subject: Subject) -> None:
    """What was learned before does not shine through."""
    model = subject.fresh().fit(subject.texts, list(reversed(subject.targets)))
    again = subject.outputs(model.fit(subject.texts, subject.targets), subject.texts)
    same = np.allclose(again, subject.outputs(subject.fitted, subject.texts), atol=TOLERANCE)
    _require(same, "a second fit differs from a first")


def the_same_seed_gives_the_same_answers(subject: Subject) -> None:
    """To the last bit."""
    one, other = (subject.outputs(model, subject.texts) for model in (subject.refitted[0], subject.fitted))
    same = np.array_equal(one, other)
    _require(same, "two fits with the same seed give different answers")


def a_small_set_is_learned(subject: Subject) -> None:
    """Texts it was trained on are answered better than by the baseline."""
    learned = subject.fitted.score(subject.texts, subject.targets)
    least = 0.2 if subject.kind == "numbers" else 0.75
    _require(learned >= least, f"the score on its own easy training texts is {learned:.2f}; expected {least} or more")


def fit_leaves_its_inputs_alone(subject: Subject) -> None:
    """Lists are the caller's."""
    _, _, as_before, _ = subject.refitted
    _require(as_before, "fit changes the lists it was given")


def global_state_is_left_alone(subject: Subject) -> None:
    """Threads, default types, seeds, warning filters and the environment are as they were."""
    *_, changed = subject.refitted
    _require(not changed, f"fit or predict changes {', '.join(changed)}")


def _global_state() -> dict[str, Any]:
    kind, keys, *rest = np.random.get_state(legacy=True)
    return {
        "torch's threads": torch.get_num_threads(),
        "torch's default type": torch.get_default_dtype(),
        "torch's random state": torch.get_rng_state().numpy().tobytes(),
        "numpy's random state": (kind, np.asarray(keys).tobytes(), *rest),
        "Python's random state": random.getstate(),
        "the warning filters": list(warnings.filters),
        "the environment": dict(os.environ),
    }


# Answering


def there_is_one_answer_a_text(subject: Subject) -> None:
    """In an array, none for none."""
    model = subject.fitted
    _require(np.shape(model.predict(subject.texts)) == (len(subject.texts),), "predict has not one answer a text")
    _require(len(model.predict([])) == 0, "no texts do not give no answers")


def batches_change_nothing(subject: Subject) -> None:
    """A text alone, among others, in another order: the same answer."""
    together = subject.outputs(subject.fitted, subject.texts)
    alone = np.concatenate([subject.outputs(subject.fitted, [text]) for text in subject.texts[:6]])
    _require(np.allclose(together[:6], alone, atol=TOLERANCE), "a text alone is answered differently than among others")
    backwards = subject.outputs(subject.fitted, subject.texts[::-1])[::-1]
    _require(np.allclose(together, backwards, atol=TOLERANCE), "the order of the texts changes their answers")


def padding_changes_nothing(subject: Subject) -> None:
    """A short text beside a long one is answered as alone."""
    short, long = subject.texts[0], " ".join(subject.texts * 2)
    beside = subject.outputs(subject.fitted, [short, long])[0]
    alone = subject.outputs(subject.fitted, [short])[0]
    _require(np.allclose(beside, alone, atol=TOLERANCE), "a long neighbour changes the answer to a short text")


def an_empty_text_is_answered(subject: Subject) -> None:
    """No words, words never met, odd characters: a finite answer."""
    odd = ["", " \n\t", "zyzzyva", "\x00", "日本語", "🙂 ‮x"]
    _require(np.isfinite(subject.outputs(subject.fitted, odd)).all(), "an empty or odd text gets no finite answer")


def a_long_text_is_answered(subject: Subject) -> None:
    """A hundred thousand characters are read, not refused."""
    text = " ".join(subject.texts) + " "
    answer = subject.outputs(subject.fitted, [text * (100_000 // len(text))])
    _require(np.isfinite(answer).all(), "a text of 100,000 characters gets no finite answer")


def saved_and_loaded_answers_equally(subject: Subject) -> None:
    """In a fresh process, to the last bit."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        subject.fitted.save(place / "model")
        (place / "texts").write_text("\n".join(subject.texts), encoding="utf-8")
        code = (
            "import sys, numpy, scansion\n"
            "model = scansion.load(sys.argv[1] + '/model')\n"
            "texts = open(sys.argv[1] + '/texts', encoding='utf-8').read().split('\\n')\n"
            "numpy.save(sys.argv[1] + '/scores.npy', model.decision_function(texts))\n"
        )
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        subprocess.run([sys.executable, "-c", code, scratch], check=True, env=environment)
        same = np.array_equal(np.load(place / "scores.npy"), subject.fitted.decision_function(subject.texts))
    _require(same, "a loaded model answers differently in a fresh process")


# With scikit-learn's tools


def it_works_in_a_pipeline(subject: Subject) -> None:
    """As its last step."""
    pipeline = Pipeline([("model", subject.fresh())]).fit(subject.texts, subject.targets)
    same = np.array_equal(pipeline.predict(subject.texts), subject.fitted.predict(subject.texts))
    _require(same, "in a pipeline it answers differently")


def it_works_in_cross_validation(subject: Subject) -> None:
    """Lists of texts are indexed, not converted."""
    scores = cross_val_score(subject.fresh(), subject.texts, subject.targets, cv=2, error_score="raise")
    _require(np.isfinite(scores).all(), "cross-validation gives no finite score")


def a_row_of_weight_nought_has_no_say(subject: Subject) -> None:
    """Its answer may be anything; what it is made of may still be counted."""
    if not has_fit_parameter(subject.estimator, "sample_weight"):
        return
    weights = [1.0] * len(subject.texts) + [0.0] * 8
    texts = subject.texts + subject.texts[:8]
    answers = [
        subject.outputs(subject.fresh().fit(texts, subject.targets + last, sample_weight=weights), subject.texts)
        for last in (subject.targets[:8], subject.targets[4:12])
    ]
    _require(np.allclose(answers[0], answers[1], atol=TOLERANCE), "the target of a row of weight 0 changes the answers")


# Labels


def labels_are_sorted_and_keep_their_type(subject: Subject) -> None:
    """``classes_`` holds text, whole numbers or booleans as they were given."""
    for first, second in (("up", "down"), (7, 3), (True, False)):
        targets = [first if label == "up" else second for label in subject.labels]
        model = subject.fitted if targets == subject.labels else subject.fresh().fit(subject.texts, targets)
        _require(list(model.classes_) == sorted([first, second]), f"classes_ is {model.classes_!r}")
        answers = set(np.asarray(model.predict(subject.texts)).tolist())
        _require(answers <= {first, second}, f"predict answers {answers} where targets were {first!r}, {second!r}")


def probabilities_sum_to_one_and_agree_with_the_answers(subject: Subject) -> None:
    """The likeliest label is the answer."""
    if not hasattr(subject.fitted, "predict_proba"):
        return
    shares = subject.fitted.predict_proba(subject.texts)
    _require(np.allclose(shares.sum(axis=1), 1), "probabilities do not sum to one")
    likeliest = np.asarray(subject.fitted.classes_)[shares.argmax(axis=1)]
    _require((likeliest == subject.fitted.predict(subject.texts)).all(), "the answer is not the likeliest label")


def a_single_label_is_defined(subject: Subject) -> None:
    """That label for every text, or an error that says why not."""
    try:
        model = subject.fresh().fit(subject.texts, ["up"] * len(subject.texts))
    except ValueError:
        return
    _require(set(model.predict(subject.texts)) == {"up"}, "trained on one label, it answers another")


def an_unseen_label_scores_as_wrong(subject: Subject) -> None:
    """It is not an error to meet one, and never right."""
    score = subject.fitted.score(subject.texts, ["sideways"] * len(subject.texts))
    _require(score == 0, f"a label that training had not scores {score}")


def more_than_two_labels_work(subject: Subject) -> None:
    """A probability each, where there are any."""
    targets = [f"{label} {i % 3}" for i, label in enumerate(subject.labels)]
    model = subject.fresh().fit(subject.texts, targets)
    _require(len(model.classes_) == len(set(targets)), "not every label is in classes_")
    if hasattr(model, "predict_proba"):
        shape = np.shape(model.predict_proba(subject.texts))
        _require(shape == (len(targets), len(model.classes_)), f"probabilities have the shape {shape}")


# Numbers


def answers_are_numbers_on_the_scale_of_the_targets(subject: Subject) -> None:
    """Shifted and stretched targets give shifted and stretched answers."""
    moved = subject.fresh().fit(subject.texts, [100 + 10 * number for number in subject.numbers])
    wanted = 100 + 10 * np.asarray(subject.fitted.predict(subject.texts))
    _require(np.allclose(moved.predict(subject.texts), wanted, atol=1.0), "answers do not follow the targets' scale")


PROMISES = (
    the_constructor_stores_its_arguments_untouched, a_clone_has_the_same_parameters, an_unknown_parameter_is_refused,
    fit_returns_the_estimator, predict_before_fit_is_an_error, one_text_for_many_is_refused, a_generator_is_refused,
    unequal_lengths_are_refused, a_missing_target_is_refused, a_missing_text_is_refused, fit_twice_is_fit_once,
    the_same_seed_gives_the_same_answers, a_small_set_is_learned, fit_leaves_its_inputs_alone,
    global_state_is_left_alone, there_is_one_answer_a_text, batches_change_nothing, padding_changes_nothing,
    an_empty_text_is_answered, a_long_text_is_answered, saved_and_loaded_answers_equally, it_works_in_a_pipeline,
    it_works_in_cross_validation, a_row_of_weight_nought_has_no_say,
)
LABEL_PROMISES = (
    labels_are_sorted_and_keep_their_type, probabilities_sum_to_one_and_agree_with_the_answers,
    a_single_label_is_defined, an_unseen_label_scores_as_wrong, more_than_two_labels_work,
)
NUMBER_PROMISES = (answers_are_numbers_on_the_scale_of_the_targets,)
