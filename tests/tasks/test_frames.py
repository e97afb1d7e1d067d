"""Frames in Python: their columns are one text, and a model takes the same ones from any frame."""

import warnings

import numpy
import pandas
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score, train_test_split

import scansion
from scansion.errors import UsageError
from scansion.tasks.document_scoring import compared_documents
from scansion.text.columns import UNNAMED, InputColumns

ROWS = range(24)
FRAME = pandas.DataFrame({
    "title": ["bad" if row % 2 else "good" if row % 4 else None for row in ROWS],
    "body": [f"film {'good' if row % 2 == 0 else ''} {row}" for row in ROWS],
    "note": ["bad bad" if row % 2 == 0 else "good good good" for row in ROWS],
})  # fmt: skip
TEXTS = FRAME[["title", "body"]]
JOINED = [f"{title}\n\n{body}" if isinstance(title, str) else body for title, body in TEXTS.to_numpy().tolist()]
LABELS = pandas.Series(["neg" if row % 2 else "pos" for row in ROWS], name="mood")


@pytest.fixture(scope="module")
def model():
    return scansion.DocumentClassifier("bag-of-words", random_state=0).fit(TEXTS, LABELS)


def test_a_frame_is_learned_from_as_its_joined_texts_are(model):
    plain = scansion.DocumentClassifier("bag-of-words", random_state=0).fit(JOINED, LABELS.tolist())
    assert model.decision_function(TEXTS).tolist() == plain.decision_function(JOINED).tolist()
    assert model.decision_function(JOINED).tolist() == plain.decision_function(JOINED).tolist()
    assert model.score(TEXTS, LABELS) == 1


def test_the_columns_are_taken_by_name_from_whatever_frame_there_is(model):
    wanted = model.decision_function(TEXTS)
    for frame in (FRAME, FRAME[["note", "body", "title"]]):
        assert numpy.array_equal(model.decision_function(frame), wanted)
    assert (model.transform(FRAME) != model.transform(TEXTS)).nnz == 0
    assert model.coverage(FRAME).tolist() == model.coverage(TEXTS).tolist()
    with pytest.raises(UsageError, match="no column 'title', which the model was fitted on; did you mean 'Title'"):
        model.predict(FRAME.rename(columns={"title": "Title"}))
    with pytest.raises(UsageError, match="fitted on the columns 'title', 'body'; got 'body' alone"):
        model.predict(FRAME["body"])


def test_names_are_kept_in_the_folder_and_forgotten_by_the_next_fit(model, tmp_path):
    assert model.feature_names_in_.tolist() == ["title", "body"]
    model.save(tmp_path / "m")
    loaded = scansion.load(tmp_path / "m")
    assert loaded.fitted_.columns == InputColumns(("title", "body"), "mood")
    assert numpy.array_equal(loaded.decision_function(FRAME), model.decision_function(FRAME))
    again = clone(model).fit(FRAME["body"], LABELS)
    assert again.feature_names_in_.tolist() == ["body"]
    again.fit(JOINED, LABELS.tolist())
    assert again.fitted_.columns == UNNAMED
    assert not hasattr(again, "feature_names_in_")
    with pytest.raises(UsageError, match="no names from training"):
        again.predict(FRAME)


def test_scikit_learns_tools_split_frames(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cross_val_score(clone(model), TEXTS, LABELS, cv=3).mean() > 0.8
        train, test, wanted, truth = train_test_split(TEXTS, LABELS, random_state=0)
        assert clone(model).fit(train, wanted).score(test, truth) > 0.6
    weights = [0 if row > 20 else 1 for row in ROWS]
    assert clone(model).fit(TEXTS, LABELS, sample_weight=weights).n_documents_in_ == 21


def test_a_comparison_reads_frames_alike():
    options = (None, None, 0.2, 0)
    frames = compared_documents(TEXTS, LABELS, "classify", (FRAME, LABELS), *options)
    texts = compared_documents(JOINED, LABELS.tolist(), "classify", (JOINED, LABELS.tolist()), *options)
    assert frames.inputs == texts.inputs == JOINED * 2
    assert frames.targets == texts.targets
