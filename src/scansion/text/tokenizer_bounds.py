"""What a tokenizer.json may ask for: steps of known kinds, each bounded in the time and the room that it can take.

The ``tokenizers`` library does whatever a file says.  A file can say: replace every letter by two, thirty times; search
with a pattern that takes for ever; put a hundred thousand tokens before a text.  It is looked at before the library is.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from scansion.errors import UnsafeFolderError, shown
from scansion.text.pattern_cost import shortest_match

PARTS = {
    "normalizer": ("normalizers", {
        "BertNormalizer", "ByteLevel", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "Precompiled", "Prepend",
        "Replace", "Strip", "StripAccents",
    }),
    "pre_tokenizer": ("pretokenizers", {
        "BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits", "FixedLength", "Metaspace", "Punctuation",
        "Split", "UnicodeScripts", "Whitespace", "WhitespaceSplit",
    }),
    "post_processor": ("processors", {"BertProcessing", "ByteLevel", "RobertaProcessing", "TemplateProcessing"}),
    "decoder": ("decoders", {
        "BPEDecoder", "ByteFallback", "ByteLevel", "CTC", "Fuse", "Metaspace", "Replace", "Strip", "WordPiece",
    }),
}
"""By part of the file, what holds several steps, and the kinds of steps."""
MOST_STEPS = 64
LONGEST_TEXT = 100
"""Characters of what is replaced or put before a text."""
MOST_GROWTH = 100
"""How many characters may be made of one."""
LONGEST_WORD = 1_000
MOST_IN_TEMPLATE = 32
MERGES_A_WORD, MERGES_BESIDE = 4, 1_000


def check_tokenizer(spec: Any, where: str, words: int | None = None) -> None:
    """ValueError for what is not read; UnsafeFolderError for a token that is not among the ``words`` of weights."""
    if not isinstance(spec, dict) or not isinstance(spec.get("model"), dict):
        raise ValueError("it is no object with a model")
    steps = {part: list(_steps(spec.get(part), part)) for part in PARTS}
    if sum(map(len, steps.values())) > MOST_STEPS:
        raise ValueError(f"it has more than {MOST_STEPS} steps")
    for each in chain.from_iterable(steps.values()):
        _pattern_length(each)
    _check_growth(steps["normalizer"])
    for each in steps["pre_tokenizer"]:
        if each["type"] == "FixedLength" and not each.get("length", 1):
            raise ValueError("it cuts texts into pieces of no length")
    for each in steps["post_processor"]:
        _check_template(each)
    _check_model(spec["model"])
    _check_words(spec, where, words)


def _steps(part: Any, name: str) -> Iterator[dict[str, Any]]:
    several, kinds = PARTS[name]
    if part is None:
        return
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "Sequence":
        inside = part.get(several)
        for each in inside if isinstance(inside, list) else ():
            yield from _steps(each, name)
    elif kind in kinds:
        yield part
    else:
        raise ValueError(f"its {name} has a step of kind {shown(str(kind))}, which is not read")


def _pattern_length(step: Mapping[str, Any]) -> int:
    """Characters that a step's pattern takes at least; those of a text are counted."""
    pattern = step.get("pattern")
    if isinstance(pattern, dict) and isinstance(pattern.get("Regex"), str):
        return shortest_match(pattern["Regex"])
    if isinstance(pattern, dict) and isinstance(pattern.get("String"), str):
        pattern = pattern["String"]
    return len(pattern) if isinstance(pattern, str) else 0


def _check_growth(steps: list[dict[str, Any]]) -> None:
    growth = 1.0
    for each in steps:
        content = each.get("content" if each["type"] == "Replace" else "prepend", "")
        if isinstance(content, str) and len(content) > LONGEST_TEXT:
            raise ValueError(f"it puts {len(content):,} characters into texts; at most {LONGEST_TEXT} are read")
        if each["type"] == "Replace" and isinstance(content, str):
            length = _pattern_length(each)
            growth *= max(1.0, len(content) / length) if length else 1.0 + len(content)
        if each["type"] == "Precompiled":
            growth *= _longest_replacement(each.get("precompiled_charsmap"))
    if growth > MOST_GROWTH:
        raise ValueError(f"its normalizer can make a text {growth:,.0f} times as long; at most {MOST_GROWTH} is read")


def _longest_replacement(charsmap: Any) -> int:
    """Of sentencepiece's table: the length of a trie in 4 bytes, the trie, and texts that end with a zero."""
    try:
        table = base64.b64decode(charsmap, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise ValueError("its table of characters is not base64") from error
    trie = int.from_bytes(table[:4], "little")
    if len(table) < 4 or trie % 4 or 4 + trie > len(table):
        raise ValueError("its table of characters is cut")
    try:
        return max(1, *(len(each) for each in table[4 + trie :].decode("utf-8").split("\0")))
    except UnicodeDecodeError as error:
        raise ValueError("its table of characters is not UTF-8") from error


def _check_template(step: Mapping[str, Any]) -> None:
    special = step.get("special_tokens")
    special = special if isinstance(special, dict) else {}
    for parts in (step.get("single"), step.get("pair")):
        listed = parts if isinstance(parts, list) else []
        names = [each.get("SpecialToken", {}).get("id") if isinstance(each, dict) else None for each in listed]
        numbers = sum(len(special.get(name, {}).get("ids", ())) for name in names if name is not None)
        if max(len(listed), numbers) > MOST_IN_TEMPLATE:
            raise ValueError(
                f"it puts {max(len(listed), numbers):,} tokens around texts; at most {MOST_IN_TEMPLATE} are read"
            )
        for name in names:  # the library ends the process when it is used
            if name is not None and name not in special:
                raise ValueError(f"the post-processor puts {shown(name)} around texts and gives no number for it")


def _check_model(model: Mapping[str, Any]) -> None:
    check = MODELS.get(str(model.get("type")))
    if check is None:
        raise ValueError(f"its model is of kind {shown(str(model.get('type')))}; read are {', '.join(MODELS)}")
    check(model)


def _whole_words(model: Mapping[str, Any]) -> None:
    unknown = model.get("unk_token", "[UNK]")
    if not isinstance(model.get("vocab"), dict) or unknown not in model["vocab"]:
        raise ValueError(f"its token for unknown words, {shown(str(unknown))}, is not in its vocabulary")
    most = model.get("max_input_chars_per_word", 0)
    if type(most) is int and most > LONGEST_WORD:
        raise ValueError(f"it looks for pieces in words of {most:,} characters; at most {LONGEST_WORD:,} are read")


def _byte_pairs(model: Mapping[str, Any]) -> None:
    if model.get("dropout"):
        raise ValueError("its dropout cuts texts differently each time; set it to null")
    unknown = model.get("unk_token")
    if unknown is not None and unknown not in (model.get("vocab") or ()):
        raise ValueError(f"its token for unknown words, {shown(str(unknown))}, is not in its vocabulary")
    prefix = model.get("continuing_subword_prefix") or ""
    for merge in model.get("merges", ()) if prefix else ():  # the library ends the process where there is none
        if not (merge.split(" ") if isinstance(merge, str) else merge)[-1].startswith(prefix):
            raise ValueError(f"the merge {shown(repr(merge))} goes on with no {shown(prefix)}")


def _pieces(model: Mapping[str, Any]) -> None:
    if model.get("unk_id") is None:
        raise ValueError("it has no token for what cannot be spelled: unk_id")


MODELS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "WordPiece": _whole_words, "WordLevel": _whole_words, "BPE": _byte_pairs, "Unigram": _pieces,
}


def _check_words(spec: Mapping[str, Any], where: str, words: int | None) -> None:
    vocabulary, added = spec["model"].get("vocab") or {}, spec.get("added_tokens") or []
    if not isinstance(vocabulary, dict | list) or not isinstance(added, list):
        raise ValueError("its vocabulary is none")
    numbers: Iterable[Any] = range(len(vocabulary))
    written: Iterable[Any] = (each[0] for each in vocabulary if isinstance(each, list) and each)
    if isinstance(vocabulary, dict):
        numbers, written = vocabulary.values(), vocabulary
    contents = [each.get("content") if isinstance(each, dict) else None for each in added]
    longest = max((len(each) for names in (written, contents) for each in names if isinstance(each, str)), default=0)
    if longest > LONGEST_WORD:
        raise ValueError(f"one of its words has {longest:,} characters; at most {LONGEST_WORD:,} are read")
    if words is None:
        return
    told = (each.get("id") for each in added if isinstance(each, dict))
    highest = max((each for group in (numbers, told) for each in group if type(each) is int), default=-1)
    most = max(highest + 1, len(vocabulary), len(added))
    if most > words:
        raise UnsafeFolderError(f"{where} has {most:,} tokens and the weights know {words:,}.")
    merges = spec["model"].get("merges")
    check_merges(len(merges) if isinstance(merges, list) else 0, words)


def check_merges(merges: int, words: int) -> None:
    """ValueError for more than can be of use."""
    if merges > MERGES_A_WORD * words + MERGES_BESIDE:
        raise ValueError(f"it has {merges:,} merges, too many for {words:,} tokens")
