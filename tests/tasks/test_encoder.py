"""An encoder of one's own: from plain texts to a folder that others read too."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import scansion
from scansion.errors import DataError, StorageError
from scansion.learning.events import Epoch
from scansion.models.pretrained_encoder import read_pretrained
from scansion.tasks.encoder import pretraining

TEXTS = [f"{first} and {word} {second}" for first, second in (("Salt", "pepper"), ("king", "queen"), ("sun", "moon"))
         for word in ("old", "new", "red", "big", "wet")] * 8
SIZES = scansion.Bert(width=16, heads=2, layers=1, feed_forward=32, positions=16, dropout=0.0, learning_rate=0.01)
QUICK = scansion.Pretraining(min_epochs=4, max_epochs=4, min_batch_tokens=200, max_batch_tokens=200, learning_rate=0.01)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("own") / "encoder"
    scansion.pretrain(TEXTS, SIZES, vocab_size=320, training=QUICK, processes=1, random_state=0).save(place)
    return place


def test_pretrained_takes_it(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("SCANSION_CACHE", str(tmp_path))
    labels = ["food" if "Salt" in text else "other" for text in TEXTS]
    model = scansion.DocumentClassifier(scansion.Pretrained(str(folder), "frozen"), random_state=0).fit(TEXTS, labels)
    assert model.score(TEXTS, labels) > 0.9


def test_others_read_it_as_a_bert(folder):
    import transformers

    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    model = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    texts = ["Salt and old pepper", "naïve 日本"]
    documents = read_pretrained(scansion.Pretrained(str(folder)), texts)
    for row, text in enumerate(texts):
        asked = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            wanted = model(input_ids=asked).last_hidden_state.mean(dim=1)[0]
        assert np.abs(documents.encoder().vectors(documents.sequences)[row] - wanted.numpy()).max() < 1e-5


def test_masked_subwords_are_predicted_better_and_better():
    training = replace(QUICK, min_epochs=30, max_epochs=30)
    events = pretraining(TEXTS, SIZES, vocab_size=320, training=training, processes=1, random_state=0)
    errors = [event.held_out_error for event in events if isinstance(event, Epoch)]
    assert errors[-1] < 0.5 * errors[0]


def test_too_few_texts_are_refused():
    with pytest.raises(DataError, match="There are 3 texts; an encoder needs 20"):
        scansion.pretrain(TEXTS[:3])


def test_a_place_that_is_taken_is_not_replaced(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    encoder = scansion.pretrain(TEXTS, SIZES, vocab_size=320, training=QUICK, processes=1, random_state=0)
    with pytest.raises(StorageError, match=r"is taken and is not replaced: it holds mine\.txt"):
        encoder.save(tmp_path)
