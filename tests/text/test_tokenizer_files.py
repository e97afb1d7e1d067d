"""The tokenizer of a pretrained folder: the numbers that transformers gives with the same files, or a sentence."""

import json
from pathlib import Path

import pytest
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from scansion.errors import UnsafeFolderError
from scansion.storage.foreign_folder import ForeignFolder
from scansion.storage.huggingface_layout import TOKENIZER_SETTINGS, VOCABULARIES
from scansion.text.tokenizer_files import TokenizerFiles, most_tokens, tokenizer_of

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = [
    "good", "Good", "GOOD", "cafe", "café", "Café", "naive", "日", "本", "日本", "##s", "##OOD", "g", "#", "!", "<",
]
WORDS = {word: number for number, word in enumerate([*SPECIAL, *PIECES])}
MPNET = {word: number for number, word in enumerate(["<s>", "<pad>", "</s>", "[UNK]", "<mask>", *PIECES])}
LETTERS = sorted(pre_tokenizers.ByteLevel.alphabet())
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BYTES = {word: number for number, word in enumerate([*ROBERTA, *LETTERS, "go", "od", "good", "Ġgood", "Ġg", "Ġgo"])}
MERGES = [("g", "o"), ("o", "d"), ("go", "od"), ("Ġ", "go"), ("Ġ", "g"), ("Ġgo", "od")]
UNIGRAMS = [(word, 0.0) for word in ROBERTA] + [("▁good", -1.0), ("good", -1.5), ("▁", -2.0), ("a", -3.0), ("日", -3.0)]
TEXTS = [
    "good Good GOODs café Café CAFÉ naïve", "日本 good日本good", "", "[MASK] good [SEP] <mask> </s>",
    "<url> good xylophone", "e\u0301 \u0130 \ufb01 🙂 #!", "good\u00a0\u200bgood\tgood\n\u2028good", "  good  ",
]


def bert(**options):
    return transformers.BertTokenizer(WORDS, **options)


def roberta(**options):
    return transformers.RobertaTokenizer(BYTES, MERGES, **options)


def xlm_roberta(**options):
    return transformers.XLMRobertaTokenizer(UNIGRAMS, **options)


def save(folder: Path, tokenizer=None, architecture="bert", contents=None, tokenizer_config=None, **settings) -> Path:
    """A folder with what a tokenizer saves, other files, and changes of tokenizer_config.json; None takes one out."""
    folder.mkdir(exist_ok=True)
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)
    for name, content in (contents or {}).items():
        (folder / name).write_bytes(content.encode())
    path = folder / "tokenizer_config.json"
    if tokenizer_config:
        changed = (json.loads(path.read_text()) if path.exists() else {}) | tokenizer_config
        path.write_text(json.dumps({name: value for name, value in changed.items() if value is not None}))
    for name, value in settings.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    (folder / "config.json").write_text(json.dumps({"model_type": architecture}))
    return folder


def files_of(folder: Path, **more) -> TokenizerFiles:
    there, names = ForeignFolder(folder), ("tokenizer.json", *VOCABULARIES)
    return TokenizerFiles(
        str(folder), json.loads((folder / "config.json").read_text())["model_type"],
        {name: (folder / name).read_bytes() for name in names if there.has(name)},
        {name: there.settings(name) for name in TOKENIZER_SETTINGS}, **more,
    )


def numbers(tokenizer, texts=TEXTS) -> list[list[int]]:
    read = tokenizer.encode(texts)
    rows = zip(read.starts.tolist(), read.lengths.tolist(), strict=True)
    return [[read.frame[0], *read.ids[begin : begin + length].tolist(), read.frame[1]] for begin, length in rows]


def lines(words) -> str:
    return "".join(f"{word}\n" for word in words)


def changed(**config):
    return {"tokenizer_config": config}


BY_NUMBER = {str(WORDS[word]): {"content": word, "special": True} for word in SPECIAL}
VOCABULARY = {"vocab.txt": lines(WORDS)}
PAIRS = {"vocab.json": json.dumps(BYTES), "merges.txt": "#version: 0.2\n" + lines(" ".join(each) for each in MERGES)}
FOLDERS = {
    "as it was saved": (bert, {}),
    "cased": (lambda: bert(do_lower_case=False), {}),
    "said to be cased, against tokenizer.json": (bert, changed(do_lower_case=False)),
    "said to be lower case, against tokenizer.json": (lambda: bert(do_lower_case=False), changed(do_lower_case=True)),
    "accents kept": (bert, changed(strip_accents=False)),
    "accents stripped, case kept": (bert, changed(strip_accents=True, do_lower_case=False)),
    "Chinese characters not apart": (bert, changed(tokenize_chinese_chars=False)),
    "an earlier name of the class": (bert, changed(tokenizer_class="BertTokenizerFast", do_lower_case=False)),
    "the name of a twin": (bert, changed(tokenizer_class="ElectraTokenizerFast", do_lower_case=False)),
    "no class, so the architecture's": (bert, changed(tokenizer_class=None, do_lower_case=False)),
    "a class without switches": (bert, changed(tokenizer_class="PreTrainedTokenizerFast", do_lower_case=False)),
    "other tokens around a text": (bert, changed(cls_token="good", sep_token="#")),
    "another unknown token": (bert, changed(unk_token="[MASK]")),
    "a token added by number": (bert, changed(
        added_tokens_decoder=BY_NUMBER | {str(len(WORDS)): {"content": "xylophone", "special": False}})),
    "a mask that takes the blank before it": (bert, changed(
        added_tokens_decoder=BY_NUMBER | {"4": {"content": "[MASK]", "lstrip": True, "special": True}})),
    "further special tokens": (bert, changed(extra_special_tokens=["<url>"])),
    "an older list of special tokens": (bert, {
        "special_tokens_map": {"cls_token": {"content": "good"}, "additional_special_tokens": ["<url>"]}}),
    "vocab.txt alone": (None, {"contents": VOCABULARY}),
    "vocab.txt of Windows": (None, {"contents": {"vocab.txt": lines(WORDS).replace("\n", "\r\n")}}),
    "vocab.txt, cased": (None, {"contents": VOCABULARY} | changed(do_lower_case=False)),
    "vocab.txt, accents kept": (None, {"contents": VOCABULARY} | changed(strip_accents=False, model_max_length=10**30)),
    "vocab.txt and added tokens": (None, {"contents": VOCABULARY, "added_tokens": {"xylophone": len(WORDS)}}),
    "vocab.txt and other special tokens": (None, {"contents": VOCABULARY, "special_tokens_map": {"sep_token": "good"}}),
    "DistilBERT's vocab.txt": (None, {"contents": VOCABULARY, "architecture": "distilbert"}),
    "MPNet's": (lambda: transformers.MPNetTokenizer(MPNET), {"architecture": "mpnet"} | changed(do_lower_case=False)),
    "MPNet's vocab.txt": (None, {"contents": {"vocab.txt": lines(MPNET)}, "architecture": "mpnet"}),
    "RoBERTa's": (roberta, {"architecture": "roberta"}),
    "RoBERTa's with a blank before": (roberta, {"architecture": "roberta"} | changed(add_prefix_space=True)),
    "RoBERTa's vocab.json": (None, {"contents": PAIRS, "architecture": "roberta"}),
    "RoBERTa's vocab.json with a blank before": (
        None, {"contents": PAIRS, "architecture": "roberta"} | changed(add_prefix_space=True)),
    "XLM-RoBERTa's": (xlm_roberta, {"architecture": "xlm-roberta"}),
    "XLM-RoBERTa's without a blank before": (
        xlm_roberta, {"architecture": "xlm-roberta"} | changed(add_prefix_space=False)),
    "CamemBERT's": (lambda: transformers.CamembertTokenizer(vocab=UNIGRAMS), {"architecture": "camembert"}),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_every_text_has_the_numbers_that_transformers_gives_it(name, tmp_path):
    made, rest = FOLDERS[name]
    folder = save(tmp_path / "saved", None if made is None else made(), **rest)
    reference = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer = tokenizer_of(files_of(folder))
    assert numbers(tokenizer) == reference(TEXTS)["input_ids"]


def test_a_tokenizer_of_which_nothing_else_is_said_stays_as_it_is_to_the_last_byte(tmp_path):
    folder = save(tmp_path / "saved", bert())
    (folder / "tokenizer_config.json").unlink()
    assert tokenizer_of(files_of(folder)).description == (folder / "tokenizer.json").read_bytes()


def test_a_class_that_cannot_have_made_the_tokenizer_decides_nothing(tmp_path):
    folder = save(tmp_path / "saved", xlm_roberta(), **changed(tokenizer_class="BertTokenizerFast", do_lower_case=True))
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert numbers(tokenizer_of(files_of(folder))) == [each.ids for each in plain.encode_batch(TEXTS)]


def test_texts_become_lower_case_before_a_cased_tokenizer_where_it_is_asked_for(tmp_path):
    folder = save(tmp_path / "saved", bert(do_lower_case=False))
    files = files_of(folder, lower_case=True)
    texts = [text for text in TEXTS if "[" not in text]
    lowered = [text.lower() for text in texts]
    assert numbers(tokenizer_of(files), texts) == numbers(tokenizer_of(files_of(folder)), lowered)


def test_how_much_is_read_at_a_time_is_a_number_or_no_limit():
    def said(value):
        return most_tokens({"tokenizer_config.json": {"model_max_length": value}}, "folder")

    assert (said(128), said(1e30), said(None), most_tokens({}, "folder")) == (128, None, None, None)
    for odd in (True, "many", 0, -1, 3):
        with pytest.raises(UnsafeFolderError, match=r"model_max_length must be a number of at least 4, got"):
            said(odd)


def lowercase_beside(folder: Path) -> None:
    spec = json.loads((folder / "tokenizer.json").read_text())
    spec["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, spec["normalizer"]]}
    (folder / "tokenizer.json").write_text(json.dumps(spec))


REFUSED = {
    "must be true or false, got": changed(do_lower_case="yes"),
    "cls_token must be a token, got": changed(cls_token=7),
    "and is no token": changed(sep_token="nowhere"),
    "'xylophone' should have the number 99, and has 21": changed(added_tokens_decoder={"99": {"content": "xylophone"}}),
    "'[PAD]' should have the number 1, and has 0": changed(added_tokens_decoder={"1": {"content": "[PAD]"}}),
    "must have a number for every token": changed(added_tokens_decoder={"one": {"content": "x"}}),
    "extra_special_tokens must be a list of tokens": changed(extra_special_tokens="<url>"),
    "split_special_tokens is not supported": changed(split_special_tokens=True),
    "'nowhere', is not in its vocabulary": changed(unk_token="nowhere"),
    "no tokenizer.json, which a 'BertJapaneseTokenizer' needs": {
        "contents": VOCABULARY, **changed(tokenizer_class="BertJapaneseTokenizer")},
    "no tokenizer.json, which a 'XLMRobertaTokenizer' needs": {"contents": VOCABULARY, "architecture": "xlm-roberta"},
    "has vocab.txt and no tokenizer.json, which a 'RobertaTokenizer'": {
        "contents": VOCABULARY, "architecture": "roberta"},
    "vocab.json and merges.txt are no tokenizer": {
        "contents": PAIRS | {"merges.txt": "a b c\n"}, "architecture": "roberta"},
}


@pytest.mark.parametrize("reason", REFUSED)
def test_settings_that_cannot_be_followed_are_refused_with_their_name(reason, tmp_path):
    folder = save(tmp_path / "saved", None if "contents" in REFUSED[reason] else bert(), **REFUSED[reason])
    with pytest.raises(UnsafeFolderError) as caught:
        tokenizer_of(files_of(folder))
    assert reason in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_setting_that_another_step_contradicts_is_refused(tmp_path):
    folder = save(tmp_path / "saved", bert(do_lower_case=False))
    lowercase_beside(folder)
    with pytest.raises(UnsafeFolderError, match=r"do_lower_case is false, and tokenizer\.json has another step"):
        tokenizer_of(files_of(folder))


def test_a_tokenizer_that_would_end_the_process_is_refused(tmp_path):
    folder = save(tmp_path / "saved", bert())
    spec = json.loads((folder / "tokenizer.json").read_text())
    spec["post_processor"]["special_tokens"] = {}
    (folder / "tokenizer.json").write_text(json.dumps(spec))
    with pytest.raises(UnsafeFolderError, match="around texts and gives no number for it"):
        tokenizer_of(files_of(folder))
    pairs = Tokenizer(models.BPE(BYTES, MERGES))
    spec = json.loads(pairs.to_str())
    spec["model"]["continuing_subword_prefix"] = "##"
    (folder / "tokenizer.json").write_text(json.dumps(spec))
    with pytest.raises(UnsafeFolderError, match="goes on with no '##'"):
        tokenizer_of(files_of(folder))


def test_a_lower_case_step_of_another_kind_agrees_with_the_settings_that_say_so(tmp_path):
    folder = save(tmp_path / "saved", bert())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.save(str(folder / "tokenizer.json"))
    assert numbers(tokenizer_of(files_of(folder)), ["GOOD"]) == [[2, WORDS["good"], 3]]
