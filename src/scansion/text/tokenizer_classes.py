"""The classes of tokenizer that transformers (version 5) has for BERT and its kin, and what their settings decide."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from scansion.errors import UnsafeFolderError, shown

Contents = Mapping[str, bytes]
Settings = Mapping[str, Any]


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise UnsafeFolderError(f"{where} must be true or false, got {shown(str(value))}.")
    return value


def _flag_or_none(value: Any, where: str) -> bool | None:
    return None if value is None else _flag(value, where)


def _scheme(value: Any, where: str) -> str:
    return "always" if _flag(value, where) else "never"


def _content(value: AddedToken, where: str) -> str:
    return value.content


def _never(tokenizer: Tokenizer, value: Any) -> bool:
    return False


def _case_differs(tokenizer: Tokenizer, value: Any) -> bool:
    return (_normalised(tokenizer, "A") == "a") is not value


def _accents_differ(tokenizer: Tokenizer, value: Any) -> bool:
    return value is not None and (_normalised(tokenizer, "é") == "e") is not value


def _normalised(tokenizer: Tokenizer, text: str) -> str:
    return text if tokenizer.normalizer is None else tokenizer.normalizer.normalize_str(text)


@dataclass(frozen=True)
class Switch:
    """A setting that decides a ``field`` of the steps of a ``type`` in a ``part`` of tokenizer.json."""

    part: str
    type: str
    field: str
    value: Callable[[Any, str], Any] = _flag
    """A setting as it stands in tokenizer.json; UnsafeFolderError, which begins with where it was, for a wrong one."""
    contradicted_by: Callable[[Tokenizer, Any], bool] = _never
    """Whether the tokenizer does otherwise all the same, by another step."""


@dataclass(frozen=True, eq=False)
class TokenizerClass:
    """What transformers makes of a folder whose tokenizer is of this class."""

    model: str
    """As tokenizer.json calls it."""
    frame: tuple[str, str]
    """The special tokens that stand before and behind every text."""
    special: Mapping[str, Any]
    """Special tokens where none are named, as tokenizer_config.json would name them."""
    switches: Mapping[str, Switch]
    files: tuple[str, ...] = ()
    """The vocabulary it can be made of, if there is no tokenizer.json."""
    made_of: Callable[[Contents, Settings, str], Tokenizer] | None = field(default=None, repr=False)


def _word_pieces(contents: Contents, settings: Settings, where: str) -> Tokenizer:
    """Of vocab.txt, a token a line (Devlin et al. 2019); letters become lower case unless it is said otherwise."""
    lines = _lines(contents, "vocab.txt", where)
    vocabulary = {line: number for number, line in enumerate(lines)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=settings["unk_token"].content))
    chosen = {
        switch.field: switch.value(settings[name], f"{where}/tokenizer_config.json: {name}")
        for name, switch in WORD_PIECES.items() if name in settings and switch.part == "normalizer"
    }
    tokenizer.normalizer = normalizers.BertNormalizer(**chosen)
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece(prefix="##")
    return tokenizer


def _byte_pairs(contents: Contents, settings: Settings, where: str) -> Tokenizer:
    """Of vocab.json, numbers by token, and merges.txt, two tokens a line (Radford et al. 2019)."""
    try:
        vocabulary = json.loads(contents["vocab.json"])
        lines = [line for line in _lines(contents, "merges.txt", where) if line and not line.startswith("#version")]
        merges = [(first, second) for first, second in (line.split(" ") for line in lines)]
        tokenizer = Tokenizer(models.BPE(vocabulary, merges, continuing_subword_prefix="", end_of_word_suffix=""))
    except Exception as error:  # the library raises nothing narrower
        raise UnsafeFolderError(f"{where}: vocab.json and merges.txt are no tokenizer: {shown(str(error))}.") from error
    prefix = _flag(settings.get("add_prefix_space", False), f"{where}/tokenizer_config.json: add_prefix_space")
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _lines(contents: Contents, name: str, where: str) -> list[str]:
    try:
        text = contents[name].decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnsafeFolderError(f"{where}/{name} is not UTF-8: byte {error.start} is wrong.") from error
    # other line separators are tokens
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


CLS_SEP, BOS_EOS = ("cls_token", "sep_token"), ("bos_token", "eos_token")
BERT_TOKENS = {
    "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]", "mask_token": "[MASK]",
}
ROBERTA_TOKENS = {
    "bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>",
    "pad_token": "<pad>", "mask_token": "<mask>",
}
WORD_PIECES = {
    "do_lower_case": Switch("normalizer", "BertNormalizer", "lowercase", contradicted_by=_case_differs),
    "strip_accents": Switch("normalizer", "BertNormalizer", "strip_accents", _flag_or_none, _accents_differ),
    "tokenize_chinese_chars": Switch("normalizer", "BertNormalizer", "handle_chinese_chars"),
    "unk_token": Switch("model", "WordPiece", "unk_token", _content),
}
BYTE_PAIRS = {"add_prefix_space": Switch("pre_tokenizer", "ByteLevel", "add_prefix_space")}
PIECES = {"add_prefix_space": Switch("pre_tokenizer", "Metaspace", "prepend_scheme", _scheme)}
BERT = TokenizerClass("WordPiece", CLS_SEP, BERT_TOKENS, WORD_PIECES, ("vocab.txt",), _word_pieces)
MPNET = TokenizerClass(
    "WordPiece", CLS_SEP, ROBERTA_TOKENS | {"unk_token": "[UNK]", "mask_token": {"content": "<mask>", "lstrip": True}},
    WORD_PIECES, ("vocab.txt",), _word_pieces,
)
ROBERTA = TokenizerClass("BPE", CLS_SEP, ROBERTA_TOKENS, BYTE_PAIRS, ("vocab.json", "merges.txt"), _byte_pairs)
SENTENCE_PIECE = TokenizerClass("Unigram", BOS_EOS, ROBERTA_TOKENS, PIECES)
CLASSES = {f"{name}Tokenizer": kind for kind, names in {
    BERT: ("Bert", "DistilBert", "Electra", "ConvBert", "SqueezeBert", "MobileBert", "LayoutLM", "Lxmert",
           "DPRQuestionEncoder", "DPRContextEncoder"),
    MPNET: ("MPNet",),
    ROBERTA: ("Roberta", "Bart", "Longformer"),
    SENTENCE_PIECE: ("XLMRoberta", "Camembert"),
}.items() for name in names}
"""By name, without the ``Fast`` that earlier versions put behind it."""
CLASS_OF_ARCHITECTURE = {
    "bert": "BertTokenizer", "distilbert": "DistilBertTokenizer", "mpnet": "MPNetTokenizer",
    "roberta": "RobertaTokenizer", "xlm-roberta": "XLMRobertaTokenizer", "camembert": "CamembertTokenizer",
}
"""Where no class is named."""
