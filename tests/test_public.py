"""What may be written in other people's programs: names, parameters and options, as tables. A change here is a
change for them.
"""

import inspect
import os
import subprocess
import sys
from dataclasses import fields

import pytest

import scansion
from scansion.families.catalogue import DOCUMENT_FAMILIES, options_of

NAMES = {
    "__version__", "DocumentClassifier", "DocumentRegressor", "Translator", "load", "export", "look", "compare",
    "DOCUMENT_FAMILIES", "TRANSLATION_FAMILIES", "RNNEncoderDecoder", "SequenceToSequence", "LSTMEncoderDecoder", "TransformerEncoderDecoder",
    "BagOfWords", "NGrams", "RNN", "LSTM", "Transformer", "Training", "TranslationTraining",
    "Pretrained", "FineTuning", "Bert", "pretrain", "Pretraining",
}  # fmt: skip

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

OPTIONS = {
    "baseline": {},
    "bag-of-words": {"min_documents": 1},
    "n-grams": {"longest": 3, "min_documents": 2, "pieces": True},
    "rnn": {"width": 128, "dropout": 0.5, "word_dropout": 0.2, "learning_rate": 2e-3},
    "lstm": {"width": 128, "dropout": 0.5, "word_dropout": 0.3, "learning_rate": 2e-3},
    "transformer": {
        "width": 128, "heads": 4, "layers": 1, "feed_forward": 256, "dropout": 0.3, "embedding_dropout": 0.3,
        "word_dropout": 0.2, "longest": 4096, "learning_rate": 0.0005,
    },
    "pretrained": {
        "source": "", "mode": "auto", "dropout": 0.1, "learning_rate": 1e-3, "pace": 0.2, "layer_decay": 0.1,
    },
}  # fmt: skip

COMPARE = {
    "task": None, "test": None, "splits": None, "folds": None, "test_share": 0.2, "seeds": None, "budget": None,
    "class_weight": None, "pretrain": None, "unlabelled": None, "processes": None, "learning_curve": False,
    "random_state": 0,
}  # fmt: skip

TRAINING = [
    "tokens", "min_epochs", "max_epochs", "steps", "min_batch_tokens", "max_batch_tokens", "warmup", "weight_decay",
    "label_smoothing", "max_grad_norm", "averaged", "held_out", "max_validation_rows",
]  # fmt: skip


def test_the_package_exports_these_names():
    assert set(scansion.__all__) == NAMES
    assert len(scansion.__all__) == len(NAMES)
    assert dir(scansion) == sorted(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_exported_name_is_there_and_says_what_it_is(name):
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


def test_every_family_has_these_options_and_defaults():
    assert {name: options_of(name) for name in scansion.DOCUMENT_FAMILIES} == OPTIONS


@pytest.mark.parametrize("family", list(DOCUMENT_FAMILIES.values()))
def test_a_familys_configuration_is_frozen_and_says_what_it_is(family):
    assert family.__dataclass_params__.frozen
    assert not (family.__doc__ or "").startswith(f"{family.__name__}(")  # what dataclass writes if nobody did
    assert family() == family()


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
