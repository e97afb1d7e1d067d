"""What may be written in other people's programs: names, parameters and options, as tables. A change here is a
change for them.
"""

import inspect
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields

import pytest

import scansion
from scansion.families.catalogue import (
    DOCUMENT_FAMILIES,
    LANGUAGE_FAMILIES,
    TRANSLATION_FAMILIES,
    options_of,
    public_families,
)

NAMES = {
    "__version__", "DocumentClassifier", "DocumentRegressor", "Translator", "LanguageModel", "load", "export", "look",
    "compare", "pretrain", "claims", "DOCUMENT_FAMILIES", "TRANSLATION_FAMILIES", "LANGUAGE_FAMILIES", "Training",
    "TranslationTraining", "FineTuning", "Pretraining",
}  # fmt: skip
"""Beside the families, which are those of the catalogue."""

ESTIMATORS = {
    "DocumentClassifier": {
        "family": "n-grams", "class_weight": None, "budget": None, "training": None, "pretrain": None,
        "processes": None, "random_state": None,
    },
    "DocumentRegressor": {
        "family": "n-grams", "budget": None, "training": None, "pretrain": None, "processes": None,
        "random_state": None,
    },
}  # fmt: skip

RELEASED = {
    "baseline": {},
    "bag-of-words": {"min_documents": 1, "static": "none"},
    "n-grams": {"order": 3, "min_documents": 2, "char_ngrams": True, "static": "auto"},
    "rnn": {"width": 128, "dropout": 0.5, "word_dropout": 0.2, "learning_rate": 2e-3},
    "lstm": {"width": 128, "dropout": 0.5, "word_dropout": 0.3, "learning_rate": 2e-3},
    "transformer": {
        "width": 128, "heads": 4, "layers": 1, "feed_forward": 256, "dropout": 0.3, "embedding_dropout": 0.3,
        "word_dropout": 0.2, "max_length": 4096, "learning_rate": 0.0005, "positions": "sinusoidal",
        "activation": "relu",
    },
    "pretrained": {
        "source": "", "mode": "auto", "pooling": "declared", "dropout": 0.1, "learning_rate": 1e-3,
        "encoder_lr_scale": 0.2, "layer_decay": 0.1,
    },
}  # fmt: skip
"""Options that programs may already set, and the defaults that they count on. A new family needs no line here."""

RELEASED_NAMES = {
    "BagOfWords", "NGrams", "RNN", "LSTM", "Transformer", "Pretrained", "Bert", "RNNEncoderDecoder",
    "SequenceToSequence", "LSTMEncoderDecoder", "TransformerEncoderDecoder",
}  # fmt: skip
RELEASED_TRANSLATION = {"rnn", "lstm-without-attention", "lstm", "transformer"}

COMPARE = {
    "task": None, "test": None, "splits": None, "folds": None, "test_share": 0.2, "seeds": None, "budget": None,
    "class_weight": None, "tokens": None, "pretrain": None, "unlabelled": None, "processes": None,
    "learning_curve": False, "thorough": False, "random_state": 0,
}  # fmt: skip

TRAINING = [
    "max_tokens", "min_epochs", "max_epochs", "target_steps", "min_batch_tokens", "max_batch_tokens", "warmup",
    "weight_decay", "label_smoothing", "max_grad_norm", "averaging_fraction", "validation_fraction",
    "max_validation_rows",
]  # fmt: skip

ALL_NAMES = NAMES | public_families().keys()
CONFIGURATIONS = list(dict.fromkeys(
    [*DOCUMENT_FAMILIES.values(), *TRANSLATION_FAMILIES.values(), *public_families().values()]
))


def test_the_package_exports_these_names_and_the_families_of_the_catalogue():
    assert set(scansion.__all__) == ALL_NAMES
    assert len(scansion.__all__) == len(ALL_NAMES)
    assert dir(scansion) == sorted(ALL_NAMES)


def test_no_released_family_disappears():
    assert public_families().keys() >= RELEASED_NAMES
    assert scansion.DOCUMENT_FAMILIES.keys() >= RELEASED.keys()
    assert scansion.TRANSLATION_FAMILIES.keys() >= RELEASED_TRANSLATION


def test_every_family_of_every_task_is_exported_under_the_name_of_its_class():
    tables = [*scansion.DOCUMENT_FAMILIES.items(), *scansion.TRANSLATION_FAMILIES.items()]
    for kind in (kind for name, kind in tables if name != "baseline"):
        assert getattr(scansion, kind.__name__) is kind


@pytest.mark.parametrize("name", sorted(ALL_NAMES))
def test_every_exported_name_is_there_and_documented(name):
    value = getattr(scansion, name)
    assert isinstance(value, str | dict) or inspect.getdoc(value)


def test_a_name_that_is_not_exported_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Lstm"):
        scansion.Lstm  # noqa: B018


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_an_estimator_has_these_parameters_and_defaults(name):
    estimator = getattr(scansion, name)
    assert estimator().get_params(deep=False) == ESTIMATORS[name]
    kinds = [parameter.kind for parameter in inspect.signature(estimator).parameters.values()]
    assert kinds == [inspect.Parameter.POSITIONAL_OR_KEYWORD] + [inspect.Parameter.KEYWORD_ONLY] * (len(kinds) - 1)


@pytest.mark.parametrize("name", list(RELEASED))
def test_a_released_family_keeps_its_options_and_their_defaults(name):
    assert options_of(scansion.DOCUMENT_FAMILIES[name]) == RELEASED[name]


@pytest.mark.parametrize("family", CONFIGURATIONS)
def test_a_familys_configuration_is_frozen_and_documented(family):
    assert family.__dataclass_params__.frozen
    assert not (family.__doc__ or "").startswith(f"{family.__name__}(")  # what dataclass writes if nobody did
    assert family.__doc__
    assert inspect.getmodule(family).__doc__  # what the list of families shows
    assert family() == family()
    assert hash(family()) == hash(family())


@pytest.mark.parametrize("family", CONFIGURATIONS)
def test_every_option_has_a_default_of_a_plain_type_which_is_the_one_that_counts(family):
    """A setting of the command is read as the type of its default."""
    configuration = family()
    for name, default in options_of(family).items():
        assert type(default) in (bool, int, float, str), name
        meant = getattr(configuration, name)
        assert meant == default or meant == LANGUAGE_FAMILIES[default](), name  # a part is named by its family
        assert f"{name}={meant!r}" in repr(configuration)
        with pytest.raises(FrozenInstanceError):
            setattr(configuration, name, default)


def test_compare_takes_the_data_the_families_and_these_options():
    parameters = inspect.signature(scansion.compare).parameters
    assert list(parameters)[:3] == ["texts", "targets", "families"]
    options = {name: p.default for name, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}
    assert options == COMPARE


def test_training_has_these_options():
    assert [field.name for field in fields(scansion.Training)] == TRAINING


def run(program: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    return done.stdout.strip()


def test_importing_the_package_does_not_import_torch():
    heavy = "('torch', 'sklearn', 'scipy', 'numpy', 'tokenizers')"
    assert run(f"import sys, scansion; print([name for name in {heavy} if name in sys.modules])") == "[]"


def test_every_way_to_import_a_name_works_in_a_fresh_process():
    program = "from scansion import *; import scansion; print(Training is scansion.Training, LSTM(4).width)"
    assert run(program) == "True 4"
