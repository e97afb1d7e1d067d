"""scikit-learn's protocol, kept without its base classes: its own tools are the judges."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import estimator_html_repr, get_tags
from sklearn.utils.validation import check_is_fitted

import scansion
from scansion.errors import UsageError

TEXTS = [f"{'a quiet marvel' if i % 2 else 'a loud failure'} number {i % 5}" for i in range(40)]
LABELS = ["good" if i % 2 else "bad" for i in range(40)]
KINDS = [scansion.DocumentClassifier, scansion.DocumentRegressor, scansion.Translator]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_scikit_learn_knows_what_kind_it_is(kind):
    expected = {"DocumentClassifier": "classifier", "DocumentRegressor": "regressor"}.get(kind.__name__)
    assert get_tags(kind()).estimator_type == expected
    assert (is_classifier(kind()), is_regressor(kind())) == (expected == "classifier", expected == "regressor")
    assert get_tags(kind()).target_tags.required == (expected is not None)


def test_the_tags_of_a_classifier_say_that_it_reads_texts_and_takes_several_labels():
    tags = get_tags(scansion.DocumentClassifier())
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert tags.no_validation
    assert tags.classifier_tags.multi_label
    assert get_tags(scansion.DocumentRegressor()).regressor_tags is not None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_copy_has_the_same_arguments_and_nothing_learned(kind):
    given = kind(family="lstm", random_state=3)
    copy = clone(given)
    assert copy.get_params() == given.get_params()
    assert copy is not given
    assert not hasattr(copy, "fitted_")
    with pytest.raises(sklearn.exceptions.NotFittedError):
        check_is_fitted(copy)


def test_only_arguments_that_were_changed_are_shown():
    assert repr(scansion.DocumentClassifier()) == "DocumentClassifier()"
    assert repr(scansion.DocumentClassifier("lstm", random_state=1)) == (
        "DocumentClassifier(family='lstm', random_state=1)"
    )
    assert repr(scansion.Translator("rnn")) == "Translator(family='rnn')"


def test_an_argument_there_is_not_is_named_with_the_nearest():
    with pytest.raises(UsageError, match="Translator has no parameter 'budgets'; did you mean 'budget'"):
        scansion.Translator().set_params(budgets=3)
    assert scansion.Translator().set_params(budget=3).budget == 3


def test_a_notebook_shows_a_diagram_alone_and_in_a_pipeline():
    model = scansion.DocumentClassifier("bag-of-words")
    assert "DocumentClassifier" in model._repr_html_()
    assert "bag-of-words" in estimator_html_repr(Pipeline([("model", model)]))


class Own(scansion.DocumentClassifier):
    """A user's own class, whose constructor calls the one above it."""

    def __init__(self, family: str = "bag-of-words", *, extra: int = 1) -> None:
        super().__init__(family)
        self.extra = extra


def test_a_class_made_of_it_with_a_constructor_of_its_own_is_an_estimator_too():
    assert clone(Own(extra=2)).get_params(deep=False) == {"family": "bag-of-words", "extra": 2}
    assert is_classifier(Own())
    assert repr(Own(extra=2)) == "Own(extra=2)"
    assert "Own" in Own()._repr_html_()


def test_weights_reach_fit_by_metadata_routing_where_they_are_asked_for():
    weights = np.where(np.arange(40) < 20, 1.0, 2.0)
    with sklearn.config_context(enable_metadata_routing=True):
        asked = scansion.DocumentClassifier("bag-of-words").set_fit_request(sample_weight=True)
        asked.set_score_request(sample_weight=False)
        assert clone(asked).get_metadata_routing().fit.requests["sample_weight"] is True
        assert asked.get_metadata_routing().score.requests["sample_weight"] is False
        search = GridSearchCV(asked, {"family__min_documents": [1, 2]}, cv=2)
        search.fit(TEXTS, LABELS, sample_weight=weights)
        assert search.best_score_ == 1
        with pytest.raises(ValueError, match="sample_weight"):
            GridSearchCV(scansion.DocumentClassifier("bag-of-words"), {"random_state": [0]}, cv=2).fit(
                TEXTS, LABELS, sample_weight=weights
            )


def test_a_fitted_model_survives_the_library_that_copies_processes_use():
    model = scansion.DocumentClassifier("bag-of-words").fit(TEXTS, LABELS)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(again.decision_function(TEXTS), model.decision_function(TEXTS))
