"""A translator in onnxruntime: the same next tokens, and by the program that travels with it the same translations."""

from functools import cache

import numpy as np
import onnxruntime
import pytest
import torch

from exporting_example import exported_example
from scansion.families.catalogue import TRANSLATION_FAMILIES
from scansion.learning.seq2seq import batch_of
from scansion.learning.training import TranslationTraining
from scansion.tasks.translator import Translator
from scansion.text.pairs import Pairs
from scansion.text.subword_tokenizer import BEGIN, NEVER_WRITTEN
from small_families import small

SOURCES = [f"{number % 7} {number % 5} ünd {number}" for number in range(60)]
TARGETS = [" ".join(reversed(source.split())) for source in SOURCES]
QUICK = TranslationTraining(min_epochs=1, max_epochs=1, min_batch_tokens=400, max_batch_tokens=400)
ASKED = [*SOURCES[:6], "", "don't ½ ²fold 中文", "1 2 3 4 5 6 7 8"]


@cache
def hardly_learned(name):
    model = Translator(small(TRANSLATION_FAMILIES[name]), vocab_size=300, training=QUICK, random_state=0)
    return model.fit(SOURCES, TARGETS)


@pytest.mark.parametrize("name", TRANSLATION_FAMILIES)
def test_every_family_writes_the_same_translations(name, tmp_path):
    model = hardly_learned(name)
    example = exported_example(model, tmp_path / "folder")
    assert [example.translated(text) for text in ASKED] == model.predict(ASKED, beam=1)


@pytest.mark.parametrize("name", TRANSLATION_FAMILIES)
def test_the_next_token_is_as_likely_in_every_row_of_a_batch(name, tmp_path):
    fitted = hardly_learned(name).check_fitted()
    exported_example(hardly_learned(name), tmp_path / "folder")
    encoder, step = (onnxruntime.InferenceSession(tmp_path / "folder" / f"{each}.onnx") for each in ("encoder", "step"))
    sources = fitted.tokenizer.encode(ASKED)
    batch = batch_of(Pairs(sources, sources), np.arange(len(ASKED)))
    names = [each.name for each in encoder.get_outputs()]
    states = dict(zip(names, encoder.run(None, {"source": batch.source.numpy()}), strict=True))
    last = np.full(len(ASKED), BEGIN)
    with torch.inference_mode():
        state = fitted.model.network.init_state(batch.source, batch.mask, 3)
        for _ in range(3):
            given = {each.name: (states | {"last": last})[each.name] for each in step.get_inputs()}
            found, *after = step.run(None, given)
            states |= zip([each.name.removeprefix("next.") for each in step.get_outputs()][1:], after, strict=True)
            wanted, state = fitted.model.step(torch.from_numpy(last), state)
            wanted[:, list(NEVER_WRITTEN)] = float("-inf")
            assert np.allclose(found, wanted, atol=1e-5)
            last = found.argmax(axis=1)
