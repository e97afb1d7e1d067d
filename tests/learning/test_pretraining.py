"""Pretraining on one's own texts: what is guessed, from what, and what it leaves behind."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import scansion
from scansion import LSTM, RNN, DocumentClassifier, Training, Transformer
from scansion.errors import UsageError
from scansion.families.catalogue import READERS, name_of
from scansion.layers.dropout import reseed
from scansion.learning.loop import SingleProcess
from scansion.learning.workers import learn_together
from scansion.learning.pretraining import Guesser, Pretraining, PretrainingJob, TextBatch, network_of, split_texts
from scansion.learning.run import TrainedWeights, train_job
from scansion.randomness import stream
from scansion.text.batches import FIRST_WORD, UNKNOWN, Sequences
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

SMALL = {
    "rnn": RNN(width=16, dropout=0.0, word_dropout=0.0, learning_rate=0.01),
    "lstm": LSTM(width=16, dropout=0.0, word_dropout=0.0, learning_rate=0.01),
    "transformer": Transformer(width=16, heads=2, feed_forward=32, dropout=0.0, embedding_dropout=0.0,
                               word_dropout=0.0, longest=64, learning_rate=0.01),
}
PAIRS = {"salt": "pepper", "bread": "butter", "king": "queen", "sun": "moon", "black": "white"}
ADJECTIVES = ["old", "new", "red", "big"]


def texts(rows: int, seed: int = 0) -> list[str]:
    """The last word follows from the first."""
    random = stream(seed, "texts")
    firsts = random.choice(list(PAIRS), rows)
    return [f"{first} and {random.choice(ADJECTIVES)} {PAIRS[first]}" for first in firsts]


def job(name: str, epochs: int = 12, rows: int = 400, piece: int = 32) -> PretrainingJob:
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
        pieces_read=0.9 if piece > 4 else 0.5, piece=piece,
    )
    return PretrainingJob(
        SMALL[name], len(vocabulary), len(vocabulary.pieces), training, 0, vocabulary.spell(corpus.types), *parts
    )


def learned(run) -> TrainedWeights:
    *_, last = run
    return last


def mean_errors(work: PretrainingJob, model) -> np.ndarray:
    """From what is near, from word vectors, and from pieces, of words of the held-out texts drawn ten times."""
    batch = replace(work, texts=work.held_out).batch(np.arange(len(work.held_out)))
    with torch.inference_mode():
        draws = [model.eval().guess(batch, stream(0, "guesses", draw)) for draw in range(10)]
    sums, counts = np.array([[(float(each.loss), each.words) for each in draw] for draw in draws]).sum(axis=0).T
    return sums / counts.clip(min=1)


def partners_found(work: PretrainingJob, guesser) -> int:
    """Of how many first words of a pair no other pair's last word is as likely as their own, by word vectors alone."""
    vocabulary = Vocabulary.learn(read_words(texts(len(work.texts) + len(work.held_out))))
    number = {word: FIRST_WORD + place for place, word in enumerate(vocabulary.words)}
    vectors, lasts = guesser.own_vectors(), torch.tensor([number[last] for last in PAIRS.values()])
    first_tokens = [int((guesser.lexicon.words == number[first]).nonzero()[0, 0]) for first in PAIRS]
    documents = guesser.by_words.scale * guesser.network.embedding.spell(torch.tensor(first_tokens))
    chances = documents @ vectors[lasts].T + guesser.by_words.bias[lasts]
    return int((chances.argmax(dim=1) == torch.arange(len(PAIRS))).sum())


@pytest.mark.parametrize("name", list(SMALL))
def test_what_follows_from_the_other_words_is_learned(name):
    work = job(name, epochs=20)
    guesser = work.build()
    at_first = mean_errors(work, guesser)
    guesser.load_state_dict({k: torch.from_numpy(v) for k, v in learned(train_job(work, SingleProcess())).weights.items()})
    assert partners_found(work, guesser) == len(PAIRS)
    near, by_words, by_pieces = mean_errors(work, guesser)
    assert near < 0.5 * at_first[0]
    assert by_words < 0.85 * at_first[1]  # the adjective follows from nothing, and a word is likest to itself
    assert by_pieces == 0  # a text that is one piece leaves nothing to guess


@pytest.mark.parametrize("name", list(SMALL))
def test_what_follows_from_other_pieces_is_learned(name):
    work = job(name, piece=2)
    guesser = work.build()
    at_first = mean_errors(work, guesser)[2]
    guesser.load_state_dict({k: torch.from_numpy(v) for k, v in learned(train_job(work, SingleProcess())).weights.items()})
    assert mean_errors(work, guesser)[2] < 0.8 * at_first


def test_a_transformer_does_not_see_the_words_it_guesses():
    work = job("transformer")
    guesser, batch = work.build().eval(), work.batch(np.arange(8))
    chosen = torch.zeros_like(batch.mask)
    chosen[:, 3] = True
    _, vectors, wanted = guesser.read(batch, chosen)
    other = replace(batch, tokens=batch.tokens.clone())
    other.tokens[:, 3] = batch.tokens[0, 0]
    _, same, _ = guesser.read(other, chosen)
    assert torch.equal(vectors, same)
    assert (wanted != UNKNOWN).all()


@pytest.mark.parametrize("name", ["rnn", "lstm"])
def test_a_state_guesses_from_what_was_read_and_not_from_the_word_itself(name):
    work = job(name)
    guesser, batch = work.build().eval(), work.batch(np.arange(8))
    chosen = torch.zeros_like(batch.mask)
    chosen[:, 2] = True
    _, vectors, wanted = guesser.read(batch, chosen)
    assert len(vectors) == len(wanted) == 2 * len(batch.tokens)  # once from either end
    changed = replace(batch, tokens=batch.tokens.clone())
    changed.tokens[:, 2] = batch.tokens[0, 0]
    _, same, _ = guesser.read(changed, chosen)
    assert torch.allclose(vectors, same)
    changed.tokens[:, 1] = batch.tokens[0, 0]
    _, after, _ = guesser.read(changed, chosen)
    assert not torch.allclose(vectors[:8], after[:8])
    assert torch.allclose(vectors[8:], after[8:])


def test_the_ends_of_a_text_are_guessed_from_one_side():
    work = job("lstm")
    guesser, batch = work.build().eval(), work.batch(np.arange(4))
    assert len(guesser.read(batch, torch.ones_like(batch.mask))[2]) == int((2 * batch.mask.sum(dim=1) - 2).sum())


@pytest.mark.parametrize("name", list(SMALL))
def test_every_weight_gets_a_gradient(name):
    work = job(name)
    guesser = work.build().train()
    reseed(guesser, 0, 0)
    guesser.loss(work.batch(np.arange(200))).backward()
    assert not [name for name, weights in guesser.named_parameters() if weights.grad is None]


def test_two_processes_learn_what_one_learns():
    work = job("transformer", epochs=2)
    alone, together = learned(train_job(work, SingleProcess())), learned(learn_together(work, 2, float("inf")))
    assert alone.steps == together.steps
    assert alone.weights.keys() == together.weights.keys()


def test_a_job_comes_back_from_disk_as_it_was(tmp_path):
    work = job("lstm", epochs=1)
    work.write(tmp_path)
    again = PretrainingJob.read(tmp_path)
    first, second = (learned(train_job(each, SingleProcess())) for each in (work, again))
    assert all(np.array_equal(first.weights[name], second.weights[name]) for name in first.weights)


@pytest.mark.parametrize("name", list(SMALL))
def test_what_was_learned_is_what_a_reader_begins_with(name):
    work = job(name, epochs=20)
    weights = network_of(learned(train_job(work, SingleProcess())).weights)
    reader = READERS[name_of(SMALL[name])](width=16) if name != "transformer" else SMALL[name]
    network = reader.build(work.words, work.pieces)
    assert weights.keys() == network.state_dict().keys()


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
    with pytest.raises(UsageError, match="The family n-grams cannot be pretrained on your texts; rnn, lstm"):
        DocumentClassifier("n-grams", pretrain="own").fit(["a", "b"], ["x", "y"])
    with pytest.raises(UsageError, match="pretrain is None or 'own'; got 'yours'"):
        DocumentClassifier("lstm", pretrain="yours").fit(["a", "b"], ["x", "y"])
    with pytest.raises(UsageError, match="Texts without answers are for pretraining"):
        DocumentClassifier("lstm").fit(["a", "b"], ["x", "y"], unlabelled=["c"])


def test_documents_are_cut_into_pieces_in_which_every_token_is_once():
    lengths = torch.arange(1, 201)
    tokens = torch.arange(200 * 200).view(200, 200) + 1
    batch = TextBatch(tokens, torch.arange(200) < lengths[:, None])
    pieces = batch.in_pieces(32)
    assert pieces.tokens.shape == (200 * 7, 32)
    assert torch.equal(pieces.tokens[pieces.mask], batch.tokens[batch.mask])


def test_a_document_is_guessed_from_the_words_that_are_seen_and_from_no_other():
    """The formula written out: the sum of the word vectors that are not hidden, by the root of their number."""
    work = job("transformer")
    guesser, batch = work.build().eval(), work.batch(np.arange(8))
    hidden = torch.zeros_like(batch.mask)
    hidden[:, 1:3] = True
    documents = guesser.documents(batch, hidden)
    for row in range(8):
        seen = batch.tokens[row][batch.mask[row] & ~hidden[row]]
        assert torch.allclose(documents[row], guesser.network.embedding(seen).sum(dim=0) / len(seen) ** 0.5, atol=1e-6)


def test_a_document_in_pieces_is_guessed_from_those_that_are_read_and_their_own_words_are_not():
    guesser = Guesser(SMALL["transformer"], 100, 0, None, UNKNOWN, FIRST_WORD, piece=4, pieces_read=0.5).eval()
    tokens = torch.arange(72).view(6, 12) + FIRST_WORD  # no word stands in two places
    batch = TextBatch(tokens, torch.arange(12) < torch.tensor([12, 12, 12, 9, 5, 4])[:, None])
    read, parts, guessed = guesser.read, [], []

    def reading(part: TextBatch, chosen: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = read(part, chosen)
        parts.append((part, found[0]))
        return found

    guesser.read = reading
    guesser.by_pieces.loss = lambda *given: guessed.append(given) or torch.zeros(())
    for step in range(20):
        guesser.guess(batch, stream(0, "guesses", step))
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
    guesser = work.build()
    guesser.network.embedding.words.weight.data[FIRST_WORD] += 1.0
    assert torch.equal(guesser.own_vectors()[FIRST_WORD], guesser.network.embedding.words.weight[FIRST_WORD])
    guesser.by_words.loss(torch.ones(1, guesser.own_vectors().shape[1]), guesser.own_vectors(), torch.tensor([0]),
                          torch.tensor([FIRST_WORD])).backward()
    assert guesser.network.embedding.words.weight.grad.is_sparse  # what moves a table is its rows


def test_word_vectors_learn_nothing_from_what_is_near():
    work = job("lstm")
    guesser, batch = work.build().train(), work.batch(np.arange(8))
    reseed(guesser, 0, 0)
    made, speaking, _ = guesser.read(batch, batch.mask)
    (made.sum() + speaking.sum()).backward()
    assert guesser.network.embedding.words.weight.grad is None
    assert all(weights.grad is not None for weights in guesser.network.states.parameters())


def test_texts_that_are_kept_back_are_not_read():
    lengths = np.arange(1, 201)
    sequences = Sequences(np.arange(lengths.sum(), dtype=np.int32), np.cumsum(lengths) - lengths, lengths)
    parts = split_texts(sequences, Pretraining(held_out=0.1), 0)
    assert [len(part) for part in parts] == [180, 20]
    assert sorted(np.concatenate([part.starts for part in parts])) == sequences.starts.tolist()
