"""What is written as ARPA says of every text what the model says, read by the definition of the format."""

import numpy as np
import pytest

import scansion
from scansion.cli.main import carry_out
from scansion.errors import DataError, UsageError
from scansion.models.arpa import LEAST, arpa_words

TEXTS = ["the king is dead", "long live the king", "the queen\nis dead", "long live the queen"] * 3
ASKED = ["the king is long", "Ünseen\tkings", ""]


class Arpa:
    """The format, read line by line: an n-gram's own score, or a context's weight and the shorter one's score."""

    def __init__(self, text: str) -> None:
        self.scores: dict[tuple[str, ...], float] = {}
        self.weights: dict[tuple[str, ...], float] = {}
        head, *sections = text.removesuffix("\n\\end\\\n").split("\n\\")
        sizes = [int(line.partition("=")[2]) for line in head.splitlines()[1:]]
        assert [len(section.splitlines()) - 1 for section in sections] == sizes
        for section in sections:
            for line in section.splitlines()[1:]:
                score, words, *weight = line.split("\t")
                self.scores[tuple(words.split(" "))] = float(score)
                self.weights[tuple(words.split(" "))] = float(weight[0]) if weight else 0.0

    def score(self, words: tuple[str, ...]) -> float:
        if words in self.scores:
            return self.scores[words]
        return self.weights.get(words[:-1], 0.0) + self.score(words[1:])


@pytest.mark.parametrize("tokens", ["characters", "bytes", "words", "subwords"])
def test_every_text_takes_the_same_bits(tokens, tmp_path):
    model = scansion.LanguageModel(scansion.KneserNey(order=3), tokens=tokens).fit(TEXTS)
    scansion.export(model, "arpa").save(tmp_path / "m.arpa")
    arpa, words = Arpa((tmp_path / "m.arpa").read_text(encoding="utf-8")), arpa_words(model.fitted_.units)
    assert len(set(words)) == len(words)
    encoded = model.fitted_.encode(ASKED)
    for row, bits in enumerate(model.bits(ASKED)):
        begin = encoded.starts[row]
        named = [words[token] for token in encoded.ids[begin : begin + encoded.lengths[row]]]
        total = sum(arpa.score(tuple(named[max(0, at - 2) : at + 1])) for at in range(1, len(named)))
        assert -total * np.log2(10) == pytest.approx(bits, rel=1e-5)


def test_what_others_wrote_is_read_scored_and_kept(tmp_path):
    model = scansion.LanguageModel(scansion.KneserNey(order=3), tokens="words").fit(TEXTS)
    scansion.export(model, "arpa").save(tmp_path / "m.arpa")
    arpa = Arpa((tmp_path / "m.arpa").read_text(encoding="utf-8"))
    arpa.scores["<unk>",] = np.log10(LEAST)
    read, texts = scansion.LanguageModel.from_arpa(tmp_path / "m.arpa"), ["long Ġlive Ġthe Ġking", "Ġking Ġunseen", ""]
    for text, bits in zip(texts, read.bits(texts), strict=True):
        named = ["<s>", *(word if (word,) in arpa.scores else "<unk>" for word in text.split()), "</s>"]
        total = sum(arpa.score(tuple(named[max(0, at - 2) : at + 1])) for at in range(1, len(named)))
        assert bits == pytest.approx(-total * np.log2(10), rel=1e-5)
    read.save(tmp_path / "m")
    assert np.array_equal(scansion.load(tmp_path / "m").bits(texts), read.bits(texts))
    assert "unknown:one token" in read.evaluate(texts).signature
    assert read.generate("long", temperature=0, max_tokens=3) == " Ġlive Ġthe Ġking"


@pytest.mark.parametrize(("text", "said"), [
    ("a corpus\n", "has no line"),
    ("\\data\\\nngram 1=x\n", "line 2: 'ngram 1=x'; expected ngram 1=NUMBER"),
    ("\\data\\\nngram 1=1\n", "ends before its n-grams"),
    ("\\data\\\nngram 1=1\n\n\\2-grams:\n", "expected .*1-grams:"),
    ("\\data\\\nngram 1=2\n\n\\1-grams:\n-1 a\n", "expected a logarithm, 1 words"),
    ("\\data\\\nngram 1=1\nngram 2=1\n\n\\1-grams:\n-1 a\n\n\\2-grams:\n-1 b a\n", "begins with one that is not"),
])
def test_what_is_no_arpa_file_is_refused_with_its_line(text, said, tmp_path):
    (tmp_path / "m.arpa").write_text(text)
    with pytest.raises(DataError, match=said):
        scansion.LanguageModel.from_arpa(tmp_path / "m.arpa")


def test_the_command_writes_it_and_replaces_nothing_unasked(tmp_path, capsys):
    scansion.LanguageModel().fit(TEXTS).save(tmp_path / "m")
    scansion.DocumentClassifier("bag-of-words").fit(TEXTS, ["a", "b"] * 6).save(tmp_path / "labels")
    model, out = str(tmp_path / "m"), str(tmp_path / "m.arpa")
    assert carry_out(["export", model, "--to", "arpa", "--out", out]) == 0
    assert carry_out(["export", model, "--to", "arpa", "--out", out]) == 2
    assert carry_out(["export", model, "--to", "arpa", "--out", out, "--force"]) == 0
    assert carry_out(["export", model, "--to", "apra", "--out", out + "2"]) == 2
    assert "did you mean 'arpa'" in capsys.readouterr().err
    assert carry_out(["export", str(tmp_path / "labels"), "--to", "arpa", "--out", out + "2"]) == 2
    assert "cannot be written as 'arpa'" in capsys.readouterr().err


def test_a_format_of_other_families_or_of_none_is_refused():
    model = scansion.LanguageModel().fit(TEXTS)
    with pytest.raises(UsageError, match="'ctranslate2' is a format of Transformers, and this is the family n-grams"):
        scansion.export(model, "ctranslate2")
    with pytest.raises(UsageError, match="'keras' does not run language models; known: 'arpa'"):
        scansion.export(model, "keras")
