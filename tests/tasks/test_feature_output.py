"""Names of features, and frames of them, by scikit-learn's protocol."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import scansion
from scansion.errors import NotFittedError, UsageError

TEXTS = ["red house", "red house again", "blue house", "blue house again"] * 5
LABELS = ["red", "red", "blue", "blue"] * 5


@pytest.fixture(scope="module")
def models():
    return {name: scansion.DocumentClassifier(name, random_state=0).fit(TEXTS, LABELS)
            for name in ("baseline", "bag-of-words", "n-grams")}


@pytest.mark.parametrize("name", ["baseline", "bag-of-words", "n-grams"])
def test_every_column_has_a_name_of_its_own(models, name):
    names = models[name].get_feature_names_out()
    assert names.shape == (models[name].transform(TEXTS).shape[1],)
    assert len(set(names)) == len(names)


def test_a_column_counts_what_its_name_says(models):
    names = models["n-grams"].get_feature_names_out().tolist()
    found = models["n-grams"].transform(["red house again", "blue"]).toarray() > 0
    for name in ("red", "red house", "red house again", " <re", " ouse"):
        assert found[:, names.index(name)].tolist() == [True, False], name
    assert {"red", "house", "again", "blue"} == set(models["bag-of-words"].get_feature_names_out())


def test_frames_have_the_names_and_the_texts_own_index_and_stay_sparse(models):
    texts = pd.Series(TEXTS[:3], index=[7, 8, 9])
    frame = clone(models["bag-of-words"]).set_output(transform="pandas").fit(TEXTS, LABELS).transform(texts)
    assert frame.index.tolist() == [7, 8, 9]
    assert frame.columns.tolist() == models["bag-of-words"].get_feature_names_out().tolist()
    assert frame.sparse.density < 1
    np.testing.assert_allclose(frame.to_numpy(), models["bag-of-words"].transform(texts).toarray())


def test_what_is_set_is_kept_by_clone_and_by_none_and_taken_back_by_default(models):
    model = clone(models["bag-of-words"]).set_output(transform="pandas")
    again = clone(model).set_output().fit(TEXTS, LABELS)
    assert isinstance(again.transform(TEXTS), pd.DataFrame)
    assert not isinstance(again.set_output(transform="default").transform(TEXTS), pd.DataFrame)


def test_scikit_learns_setting_for_all_estimators_counts_where_nothing_is_set(models):
    with config_context(transform_output="pandas"):
        assert isinstance(models["bag-of-words"].transform(TEXTS), pd.DataFrame)


def test_a_pipeline_sets_it_and_asks_for_the_names(models):
    pipeline = make_pipeline(clone(models["bag-of-words"])).set_output(transform="pandas").fit(TEXTS, LABELS)
    assert isinstance(pipeline.transform(TEXTS), pd.DataFrame)
    assert pipeline.get_feature_names_out().tolist() == models["bag-of-words"].get_feature_names_out().tolist()


def test_what_cannot_be_is_said(models):
    with pytest.raises(UsageError, match=r"pandas.*got 'panda'"):
        clone(models["n-grams"]).set_output(transform="panda")
    with config_context(transform_output="polars"), pytest.raises(UsageError, match="set to 'polars'"):
        models["bag-of-words"].transform(TEXTS)
    with pytest.raises(NotFittedError):
        scansion.DocumentClassifier("n-grams").get_feature_names_out()
