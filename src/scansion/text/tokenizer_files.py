"""The tokenizer of a pretrained folder, made of its files as transformers (version 5) makes it.

tokenizer.json is the tokenizer.  Where its class is one of those below, what tokenizer_config.json says goes before
what stands there: case, accents, Chinese characters, the blank before a text, the special tokens.  Without
tokenizer.json the class says how a vocabulary is read.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tokenizers import AddedToken, Tokenizer, normalizers, processors

from scansion.errors import UnsafeFolderError, shown
from scansion.text.pretrained_tokenizer import PretrainedTokenizer, library_tokenizer, told
from scansion.text.tokenizer_bounds import check_merges, check_tokenizer
from scansion.text.tokenizer_classes import CLASS_OF_ARCHITECTURE, CLASSES, TokenizerClass

TOKENIZER, SETTINGS, SPECIAL_TOKENS, ADDED_TOKENS = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
)
NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
UNNAMED = ("additional_special_tokens", "extra_special_tokens")
BY_NUMBER = "added_tokens_decoder"
FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
FEWEST_TOKENS = 4
RARE = "\ua66e \U00013000"
"""Characters that hardly a vocabulary has."""
MAKE_ONE = (
    "transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes one, of a tokenizer that the "
    "tokenizers library can run"
)


@dataclass(frozen=True)
class TokenizerFiles:
    """Of one folder: ``contents``, tokenizer.json or vocabularies, and ``settings``, each by the name of its file."""

    where: str
    architecture: str
    contents: Mapping[str, bytes]
    settings: Mapping[str, Mapping[str, Any]]
    class_name: str | None = None
    """The tokenizer's class, as config.json has it."""
    lower_case: bool = False
    """Whether texts become lower case first, whatever the tokenizer does."""
    words: int | None = None
    """How many tokens the weights know."""


def tokenizer_of(files: TokenizerFiles) -> PretrainedTokenizer:
    """UnsafeFolderError for files that contradict each other or that no rule here covers; the message names them."""
    where, settings = f"{files.where}/{TOKENIZER}", _settings(files)
    if settings.get("split_special_tokens"):
        raise UnsafeFolderError(f"{files.where}/{SETTINGS}: split_special_tokens is not supported; take it out.")
    name, kind = _class_of(files, settings)
    if TOKENIZER in files.contents:
        description = files.contents[TOKENIZER]
        tokenizer = library_tokenizer(description, where, files.words)
        before = tokenizer.to_str()
        tokenizer, kind = _as_declared(tokenizer, json.loads(before), kind, settings, files)
    else:
        description, before = b"", ""
        if kind is None or kind.made_of is None or not all(each in files.contents for each in kind.files):
            raise UnsafeFolderError(
                f"{files.where} has {', '.join(files.contents)} and no {TOKENIZER}, which a {shown(name)} needs; "
                f"{MAKE_ONE}."
            )
        settings = {name: _added_token(token, name, special=True) for name, token in kind.special.items()} | settings
        with told(f"{files.where}/{kind.files[0]}", "is no vocabulary"):
            _check_size(files)
            tokenizer = kind.made_of(files.contents, settings, files.where)
            check_tokenizer(json.loads(tokenizer.to_str()), where, files.words)
    with told(where):
        _add_tokens(tokenizer, files, settings)
        if kind is not None:
            _put_frame(tokenizer, kind, settings, files.where)
    if files.lower_case:
        first = normalizers.Lowercase()
        then = tokenizer.normalizer
        tokenizer.normalizer = first if then is None else normalizers.Sequence([first, then])
    with told(where):
        tokenizer.encode(RARE)
    after = tokenizer.to_str()
    return PretrainedTokenizer(description if after == before else after.encode("utf-8"), where)


def _check_size(files: TokenizerFiles) -> None:
    """UnsafeFolderError for vocabularies of more tokens than the weights know, before anything is made of them."""
    if files.words is None:
        return
    lines = {name: data.count(b"\n") for name, data in files.contents.items()}
    found = len(json.loads(files.contents["vocab.json"])) if "vocab.json" in files.contents else lines["vocab.txt"]
    if found > files.words:
        raise UnsafeFolderError(f"{files.where} has {found:,} tokens and the weights know {files.words:,}.")
    check_merges(lines.get("merges.txt", 0), files.words)


def most_tokens(settings: Mapping[str, Mapping[str, Any]], where: str) -> int | None:
    """How many tokens tokenizer_config.json says the model reads at a time; None where it says nothing or "no limit".

    UnsafeFolderError for what is no number, or too small to read by.
    """
    most = settings.get(SETTINGS, {}).get("model_max_length")
    if most is None:
        return None
    if isinstance(most, bool) or not isinstance(most, int | float) or most < FEWEST_TOKENS:
        raise UnsafeFolderError(
            f"{where}/{SETTINGS}: model_max_length must be a number of at least {FEWEST_TOKENS}, got {most!r}."
        )
    return int(most) if most < 2**31 else None


def _settings(files: TokenizerFiles) -> dict[str, Any]:
    """As transformers puts them together: special_tokens_map.json is of a time before the added tokens' numbers."""
    settings = dict(files.settings.get(SETTINGS, {}))
    if BY_NUMBER not in settings:
        settings |= files.settings.get(SPECIAL_TOKENS, {})
    for name in NAMED:
        if settings.get(name) is None:
            settings.pop(name, None)
        else:
            settings[name] = _added_token(settings[name], f"{files.where}/{SETTINGS}: {name}", special=True)
    return settings


def _class_of(files: TokenizerFiles, settings: Mapping[str, Any]) -> tuple[str, TokenizerClass | None]:
    named = settings.get("tokenizer_class") or files.class_name or CLASS_OF_ARCHITECTURE.get(files.architecture)
    name = str(named).removesuffix("Fast")
    return name, CLASSES.get(name)


def _as_declared(
    tokenizer: Tokenizer, spec: dict[str, Any], kind: TokenizerClass | None, settings: Mapping[str, Any],
    files: TokenizerFiles,
) -> tuple[Tokenizer, TokenizerClass | None]:
    """With the switches set that a tokenizer of this class has; of another kind of model it is not of this class."""
    if kind is None or spec["model"]["type"] != kind.model:
        return tokenizer, None
    before, where = json.dumps(spec), files.where
    values = {
        name: switch.value(settings[name], f"{where}/{SETTINGS}: {name}")
        for name, switch in kind.switches.items() if name in settings
    }
    for name, value in values.items():
        for part in _parts(spec[kind.switches[name].part], kind.switches[name].type):
            part[kind.switches[name].field] = value
    if json.dumps(spec) != before:
        tokenizer = library_tokenizer(json.dumps(spec).encode(), f"{where}/{TOKENIZER}", files.words)
    for name, value in values.items():
        if kind.switches[name].contradicted_by(tokenizer, value):
            raise UnsafeFolderError(
                f"{where}: {SETTINGS} says {name} is {json.dumps(value)}, and {TOKENIZER} has another step that does "
                "otherwise. Make them agree."
            )
    return tokenizer, kind


def _parts(spec: Any, kind: str) -> Iterator[dict[str, Any]]:
    """A step of this kind, wherever it stands in a sequence of steps."""
    if isinstance(spec, dict):
        if spec.get("type") == kind:
            yield spec
        for several in ("normalizers", "pretokenizers"):
            for each in spec.get(several) or ():
                yield from _parts(each, kind)


def _add_tokens(tokenizer: Tokenizer, files: TokenizerFiles, settings: Mapping[str, Any]) -> None:
    """Those that stand beside the vocabulary, with the numbers that are said; and which tokens of it are special."""
    numbered, present = sorted(_numbered(files, settings).items()), tokenizer.get_added_tokens_decoder()
    if numbered and files.words is not None and numbered[-1][0] >= files.words:
        raise UnsafeFolderError(
            f"{files.where}: the token {shown(numbered[-1][1].content)} should have the number {numbered[-1][0]:,}, "
            f"and the weights know {files.words:,}; the files are of different models."
        )
    tokenizer.add_tokens([token for number, token in numbered if repr(present.get(number)) != repr(token)])
    for number, token in numbered:
        if tokenizer.token_to_id(token.content) != number:
            raise UnsafeFolderError(
                f"{files.where}: the token {shown(token.content)} should have the number {number:,}, and has "
                f"{tokenizer.token_to_id(token.content):,} in the tokenizer; the files are of different models."
            )
    special = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    for token in (settings[name] for name in NAMED if name in settings):
        # a token that the vocabulary does not have has no vector either
        if token.content not in special and tokenizer.token_to_id(token.content) is not None:
            tokenizer.add_tokens([token])
    for name in UNNAMED:
        where, several = f"{files.where}/{SETTINGS}: {name}", settings.get(name) or ()
        several = several.values() if isinstance(several, dict) else several
        if isinstance(several, str) or not isinstance(several, Iterable):
            raise UnsafeFolderError(f"{where} must be a list of tokens, got {shown(str(several))}.")
        tokens = [_added_token(each, where, special=True) for each in several]
        if files.words is not None and len(tokens) > files.words:
            raise UnsafeFolderError(f"{where} has {len(tokens):,} tokens and the weights know {files.words:,}.")
        tokenizer.add_tokens([token for token in tokens if token.content not in special])


def _numbered(files: TokenizerFiles, settings: Mapping[str, Any]) -> dict[int, AddedToken]:
    if BY_NUMBER in settings:
        where, found = f"{files.where}/{SETTINGS}: {BY_NUMBER}", settings[BY_NUMBER]
        if not isinstance(found, dict) or not all(len(each) < 10 and each.isdecimal() for each in found):
            raise UnsafeFolderError(f"{where} must have a number for every token.")
        return {int(number): _added_token(token, where) for number, token in found.items()}
    where, listed = f"{files.where}/{ADDED_TOKENS}", files.settings.get(ADDED_TOKENS, {})
    special = {settings[name].content for name in NAMED if name in settings}
    if not all(type(number) is int and number >= 0 for number in listed.values()):
        raise UnsafeFolderError(f"{where} must have a number for every token.")
    return {
        number: AddedToken(token, normalized=token not in special, special=token in special)
        for token, number in listed.items()
    }


def _added_token(value: Any, where: str, special: bool = False) -> AddedToken:
    described = value if isinstance(value, dict) else {"content": value}
    content = described.get("content")
    flags = {name: described[name] for name in FLAGS if name in described}
    if not isinstance(content, str) or not content or not all(isinstance(flag, bool) for flag in flags.values()):
        raise UnsafeFolderError(f"{where} must be a token, got {shown(str(value))}.")
    return AddedToken(content, **({"special": special} | flags))


def _put_frame(tokenizer: Tokenizer, kind: TokenizerClass, settings: Mapping[str, Any], where: str) -> None:
    """The class's two tokens around every text; those of tokenizer.json where none are named."""
    present = tokenizer.post_processor is not None
    if present and not any(name in settings for name in kind.frame):
        return
    tokens = [settings[name].content if name in settings else kind.special[name] for name in kind.frame]
    numbers = [tokenizer.token_to_id(token) for token in tokens]
    for token, number in zip(tokens, numbers, strict=True):
        if number is None:
            raise UnsafeFolderError(f"{where}: {shown(token)} should stand around every text and is no token.")
    if not present or tokenizer.encode("").ids != numbers:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=[f"{tokens[0]}:0", "$A:0", f"{tokens[1]}:0"], special_tokens=list(zip(tokens, numbers, strict=True))
        )
