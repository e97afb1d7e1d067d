"""A recurrent language model in onnxruntime: the same log-probabilities, and the same text by the example."""

import numpy as np
import pytest

import scansion
from exporting_example import exported_example
from scansion.errors import UsageError
from scansion.families.catalogue import LANGUAGE_FAMILIES
from scansion.learning.training import LanguageTraining
from small_families import small

TEXTS = [f"the {colour} thing is number {number} ünd" for number in range(8) for colour in ("red", "blue")]


BRIEF = LanguageTraining(max_tokens=1, min_epochs=10, max_epochs=10, target_steps=100, min_batch_tokens=100)


def learned(name, tokens="characters", **options):
    family = small(LANGUAGE_FAMILIES[name], **options)
    return scansion.LanguageModel(family, tokens=tokens, training=BRIEF).fit(TEXTS)


@pytest.mark.parametrize(("name", "tokens"), [("rnn", "characters"), ("gru", "characters"), ("lstm", "subwords")])
def test_it_scores_and_writes_the_same(name, tokens, tmp_path):
    model = learned(name, tokens, layers=2)
    example = exported_example(model, tmp_path / "folder")
    fitted = model.check_fitted()
    document = fitted.units.encode(["a red thing 中"]).ids[:]
    scores, _ = example.read(document[:-1].tolist())
    found = np.take_along_axis(scores, document[1:, None].astype(np.int64), axis=1)[:, 0]
    assert np.allclose(found, fitted.model.log_probabilities(document)[1:], atol=1e-5)
    for prompt in ("the", "", " a blue"):
        assert example.written(prompt, 12) == prompt + model.generate(prompt, 12, temperature=0)


def test_what_it_has_no_place_for_is_refused():
    with pytest.raises(UsageError, match="onnx takes recurrent ones"):
        scansion.export(learned("transformer", context=8), "onnx")
    with pytest.raises(UsageError, match="Tokens that are words"):
        scansion.export(learned("rnn", "words"), "onnx")
