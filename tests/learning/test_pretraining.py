"""Pretraining on one's own texts: what is guessed, from what, and what it leaves behind."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import scansion
from scansion import GRU, LSTM, RNN, DocumentClassifier, Training, Transformer
from scansion.errors import UsageError
from scansion.families.catalogue import DOCUMENT_FAMILIES, name_of
from scansion.layers.dropout import reseed
from scansion.learning.description import FitDescription
from scansion.learning.document_job import Start
from scansion.learning.events import finished
from scansion.learning.job import TrainedWeights
from scansion.learning.loop import train_job
from scansion.learning.pretraining import (
    PretrainingJob,
    PretrainingNetwork,
    TextBatch,
    encoder_weights,
    split_texts,
)
from scansion.learning.process_group import SingleProcess
from scansion.learning.training import Pretraining
from scansion.learning.workers import train_in_workers
from scansion.randomness import stream
from scansion.text.batches import FIRST_WORD, UNKNOWN, Sequences
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

pytestmark = pytest.mark.usefixtures("warm_processes")

SMALL = {
    "rnn": RNN(width=16, dropout=0.0, word_dropout=0.0, learning_rate=0.01),
    "gru": GRU(width=16, dropout=0.0, word_dropout=0.0, learning_rate=0.01),
    "lstm": LSTM(width=16, dropout=0.0, word_dropout=0.0, learning_rate=0.01),
    "transformer": Transformer(width=16, heads=2, feed_forward=32, dropout=0.0, embedding_dropout=0.0,
                               word_dropout=0.0, max_length=64, learning_rate=0.01),
}
PAIRS = {"salt": "pepper", "bread": "butter", "king": "queen", "sun": "moon", "black": "white"}
ADJECTIVES = ["old", "new", "red", "big"]


def texts(rows: int, seed: int = 0) -> list[str]:
    """The last word follows from the first."""
    random = stream(seed, "texts")
    firsts = random.choice(list(PAIRS), rows)
    return [f"{first} and {random.choice(ADJECTIVES)} {PAIRS[first]}" for first in firsts]


def job(name: str, epochs: int = 12, rows: int = 400, chunk: int = 32) -> PretrainingJob:
    corpus = read_words(texts(rows))
    vocabulary = Vocabulary.learn(corpus)
    sequences = vocabulary.encode(corpus)
    held = rows // 10
    parts = [
        Sequences(sequences.ids, sequences.starts[part], sequences.lengths[part], sequences.first)
        for part in (slice(held, None), slice(0, held))
    ]
    training = Pretraining(
        min_epochs=epochs, max_epochs=epochs, min_batch_tokens=200, max_batch_tokens=200, learning_rate=0.01,
        chunks_read=0.9 if chunk > 4 else 0.5, chunk_tokens=chunk,
    )
    description = FitDescription("classify", SMALL[name], training, 0, rows)
    start = Start(len(vocabulary), len(vocabulary.char_ngrams), vocabulary.index(corpus.types))
    return PretrainingJob(description, start, *parts)


def learned(work: PretrainingJob) -> TrainedWeights:
    return finished(train_job)(work, SingleProcess())


def with_what_was_learned(work: PretrainingJob) -> PretrainingNetwork:
    network = work.build()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in learned(work).weights.items()})
    return network


def mean_errors(work: PretrainingJob, model) -> np.ndarray:
    """From what is near, from word vectors, and from chunks, of words of the held-out texts drawn ten times."""
    batch = replace(work, texts=work.held_out).batch(np.arange(len(work.held_out)))
    with torch.inference_mode():
        draws = [model.eval().guess(batch, stream(0, "guesses", draw)) for draw in range(10)]
    sums, counts = np.array([[(float(each.loss), each.words) for each in draw] for draw in draws]).sum(axis=0).T
    return sums / counts.clip(min=1)


def partners_found(work: PretrainingJob, network: PretrainingNetwork) -> int:
    """Of how many first words of a pair no other pair's last word is as likely as their own, by word vectors alone."""
    vocabulary = Vocabulary.learn(read_words(texts(len(work.texts) + len(work.held_out))))
    number = {word: FIRST_WORD + place for place, word in enumerate(vocabulary.words)}
    vectors, lasts = network.own_vectors(), torch.tensor([number[last] for last in PAIRS.values()])
    first_tokens = [int((network.words_of_tokens == number[first]).nonzero()[0, 0]) for first in PAIRS]
    documents = network.by_words.scale * network.encoder.embedding.vectors(torch.tensor(first_tokens))
    logits = documents @ vectors[lasts].T + network.by_words.bias[lasts]
    return int((logits.argmax(dim=1) == torch.arange(len(PAIRS))).sum())


@pytest.mark.parametrize("name", list(SMALL))
def test_what_follows_from_the_other_words_is_learned(name):
    work = job(name, epochs=20)
    at_first, network = mean_errors(work, work.build()), with_what_was_learned(work)
    assert partners_found(work, network) == len(PAIRS)
    near, by_words, by_chunks = mean_errors(work, network)
    assert near < 0.5 * at_first[0]
    assert by_words < 0.85 * at_first[1]  # the adjective follows from nothing, and a word is likest to itself
    assert by_chunks == 0  # a text that is one chunk leaves nothing to guess


@pytest.mark.parametrize("name", list(SMALL))
def test_what_follows_from_other_chunks_is_learned(name):
    work = job(name, chunk=2)
    at_first = mean_errors(work, work.build())[2]
    assert mean_errors(work, with_what_was_learned(work))[2] < 0.8 * at_first


def test_a_transformer_does_not_see_the_words_it_guesses():
    work = job("transformer")
    network, batch = work.build().eval(), work.batch(np.arange(8))
    chosen = torch.zeros_like(batch.mask)
    chosen[:, 3] = True
    _, vectors, wanted = network.read(batch, chosen)
    other = replace(batch, tokens=batch.tokens.clone())
    other.tokens[:, 3] = batch.tokens[0, 0]
    _, same, _ = network.read(other, chosen)
    assert torch.equal(vectors, same)
    assert (wanted != UNKNOWN).all()


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_a_state_guesses_from_what_was_read_and_not_from_the_word_itself(name):
    work = job(name)
    network, batch = work.build().eval(), work.batch(np.arange(8))
    chosen = torch.zeros_like(batch.mask)
    chosen[:, 2] = True
    _, vectors, wanted = network.read(batch, chosen)
    assert len(vectors) == len(wanted) == 2 * len(batch.tokens)  # once from either end
    changed = replace(batch, tokens=batch.tokens.clone())
    changed.tokens[:, 2] = batch.tokens[0, 0]
    _, same, _ = network.read(changed, chosen)
    assert torch.allclose(vectors, same)
    changed.tokens[:, 1] = batch.tokens[0, 0]
    _, after, _ = network.read(changed, chosen)
    assert not torch.allclose(vectors[:8], after[:8])
    assert torch.allclose(vectors[8:], after[8:])


def test_the_ends_of_a_text_are_guessed_from_one_side():
    work = job("lstm")
    network, batch = work.build().eval(), work.batch(np.arange(4))
    assert len(network.read(batch, torch.ones_like(batch.mask))[2]) == int((2 * batch.mask.sum(dim=1) - 2).sum())


@pytest.mark.parametrize("name", list(SMALL))
def test_every_weight_gets_a_gradient(name):
    work = job(name)
    network = work.build().train()
    reseed(network, 0, 0)
    network.loss(work.batch(np.arange(200))).backward()
    assert not [name for name, weights in network.named_parameters() if weights.grad is None]


def test_two_processes_learn_what_one_learns():
    work = job("transformer", epochs=2)
    alone, together = learned(work), finished(train_in_workers)(work, 2)
    assert alone.steps == together.steps
    assert alone.weights.keys() == together.weights.keys()


def test_a_job_comes_back_from_disk_as_it_was(tmp_path):
    work = job("lstm", epochs=1)
    work.write(tmp_path)
    again = PretrainingJob.read(tmp_path)
    assert again.description == work.description
    first, second = learned(work), learned(again)
    assert all(np.array_equal(first.weights[name], second.weights[name]) for name in first.weights)


@pytest.mark.parametrize("name", list(SMALL))
def test_what_was_learned_is_what_an_encoder_begins_with(name):
    work = job(name, epochs=20)
    weights = encoder_weights(learned(work).weights)
    family = DOCUMENT_FAMILIES[name_of(SMALL[name])](width=16) if name != "transformer" else SMALL[name]
    encoder = family.build(work.start.words, work.start.char_ngrams)
    assert weights.keys() == encoder.state_dict().keys()


@pytest.mark.parametrize("name", list(SMALL))
def test_texts_without_answers_help_where_answers_are_few(name, tmp_path):
    """Two words of a kind are known by their company: the labelled texts hold one of them, the test the other."""
    labelled = [f"{word} and {other} {PAIRS[word]}" for word in ("salt", "king") for other in ADJECTIVES] * 4
    answers = ["food" if "salt" in text else "court" for text in labelled]
    shared = {"training": Training(min_epochs=6, max_epochs=6, min_batch_tokens=64, max_batch_tokens=64),
              "processes": 1, "random_state": 0}
    model = DocumentClassifier(SMALL[name], pretrain="own", **shared).fit(labelled, answers, unlabelled=texts(200))
    assert model.score(labelled, answers) == 1.0
    assert "pretrained on 232 texts without their answers" in model.fit_report_.notes[0]
    assert model.transform(labelled).shape[1] == (SMALL[name].pooling.parts + 1) * SMALL[name].width  # words beside
    model.save(tmp_path / "model")
    again = scansion.load(tmp_path / "model")
    assert np.array_equal(again.decision_function(labelled), model.decision_function(labelled))


def test_texts_of_which_no_word_can_be_guessed_are_read_all_the_same():
    strange = [chr(0x4E00 + i) for i in range(40)]  # every word is met once, and has no number
    model = DocumentClassifier(SMALL["rnn"], pretrain="own", processes=1, random_state=0)
    assert len(model.fit(strange, ["a", "b"] * 20).predict(strange)) == 40


def test_what_cannot_be_pretrained_is_refused():
    families = "rnn, gru, lstm and transformer can"
    with pytest.raises(UsageError, match=f"The family n-grams cannot be pretrained on your texts; {families}"):
        DocumentClassifier("n-grams", pretrain="own").fit(["a", "b"], ["x", "y"])
    with pytest.raises(UsageError, match=r"pretrain is None, 'own' or a Pretraining\(\.\.\.\); got 'yours'"):
        DocumentClassifier("lstm", pretrain="yours").fit(["a", "b"], ["x", "y"])
    with pytest.raises(UsageError, match="Texts without answers are for pretraining"):
        DocumentClassifier("lstm").fit(["a", "b"], ["x", "y"], unlabelled=["c"])


def test_documents_are_cut_into_chunks_in_which_every_token_is_once():
    lengths = torch.arange(1, 201)
    tokens = torch.arange(200 * 200).view(200, 200) + 1
    batch = TextBatch(tokens, torch.arange(200) < lengths[:, None])
    chunks = batch.in_chunks(32)
    assert chunks.tokens.shape == (200 * 7, 32)
    assert torch.equal(chunks.tokens[chunks.mask], batch.tokens[batch.mask])


def test_a_document_is_guessed_from_the_words_that_are_seen_and_from_no_other():
    """The formula written out: the sum of the word vectors that are not hidden, by the root of their number."""
    work = job("transformer")
    network, batch = work.build().eval(), work.batch(np.arange(8))
    hidden = torch.zeros_like(batch.mask)
    hidden[:, 1:3] = True
    documents = network.documents(batch, hidden)
    for row in range(8):
        seen = batch.tokens[row][batch.mask[row] & ~hidden[row]]
        assert torch.allclose(documents[row], network.encoder.embedding(seen).sum(dim=0) / len(seen) ** 0.5, atol=1e-6)


def test_a_document_in_chunks_is_guessed_from_those_that_are_read_and_their_own_words_are_not():
    recipe = Pretraining(chunk_tokens=4, chunks_read=0.5)
    network = PretrainingNetwork(SMALL["transformer"], Start(100), UNKNOWN, FIRST_WORD, recipe).eval()
    tokens = torch.arange(72).view(6, 12) + FIRST_WORD  # no word stands in two places
    batch = TextBatch(tokens, torch.arange(12) < torch.tensor([12, 12, 12, 9, 5, 4])[:, None])
    read, parts, guessed = network.read, [], []

    def reading(part: TextBatch, chosen: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = read(part, chosen)
        parts.append((part, found[0]))
        return found

    network.read = reading
    network.by_chunks.loss = lambda *given: guessed.append(given) or torch.zeros(())
    for step in range(20):
        network.guess(batch, stream(0, "guesses", step))
    for (part, vectors), (means, _, rows, words) in zip(parts, guessed, strict=True):
        assert not torch.isin(words, part.tokens[part.mask]).any()
        for row in rows.unique():
            (document,) = ((words[rows == row] - FIRST_WORD) // 12).unique()
            own = part.mask & torch.isin(part.tokens, batch.tokens[document])
            assert torch.allclose(means[row], vectors[own].mean(dim=0), atol=1e-6)
    assert sum(len(words) for *_, words in guessed) > 100


@pytest.mark.parametrize("name", list(SMALL))
def test_words_that_guess_a_documents_words_and_words_that_are_guessed_are_the_same_vectors(name):
    work = job(name)
    network = work.build()
    network.encoder.embedding.words.weight.data[FIRST_WORD] += 1.0
    assert torch.equal(network.own_vectors()[FIRST_WORD], network.encoder.embedding.words.weight[FIRST_WORD])
    network.by_words.loss(torch.ones(1, network.own_vectors().shape[1]), network.own_vectors(), torch.tensor([0]),
                          torch.tensor([FIRST_WORD])).backward()
    assert network.encoder.embedding.words.weight.grad.is_sparse  # what moves a table is its rows


def test_word_vectors_learn_nothing_from_what_is_near():
    work = job("lstm")
    network, batch = work.build().train(), work.batch(np.arange(8))
    reseed(network, 0, 0)
    made, predicting, _ = network.read(batch, batch.mask)
    (made.sum() + predicting.sum()).backward()
    assert network.encoder.embedding.words.weight.grad is None
    assert all(weights.grad is not None for weights in network.encoder.states.parameters())


def test_texts_that_are_kept_back_are_not_read():
    lengths = np.arange(1, 201)
    sequences = Sequences(np.arange(lengths.sum(), dtype=np.int32), np.cumsum(lengths) - lengths, lengths)
    parts = split_texts(sequences, Pretraining(validation_fraction=0.1), 0)
    assert [len(part) for part in parts] == [180, 20]
    assert sorted(np.concatenate([part.starts for part in parts])) == sequences.starts.tolist()
