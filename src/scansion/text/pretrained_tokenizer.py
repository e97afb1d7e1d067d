"""The tokenizer of pretrained weights: a ``tokenizer.json`` that came with pretrained weights."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from scansion.errors import UnsafeFolderError, UsageError, shown
from scansion.spill import Growing
from scansion.text.batches import Sequences

TEXTS_AT_A_TIME = 4_096
MASK_TOKENS = ("[MASK]", "<mask>")


@dataclass(frozen=True)
class PretrainedTokenizer:
    """A tokenizer in the format of the ``tokenizers`` library; ``where`` it came from, for messages."""

    description: bytes
    where: str = "tokenizer.json"

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return library_tokenizer(self.description, self.where)

    @cached_property
    def special_tokens(self) -> tuple[int, int]:
        """What stands before and behind every text, such as [CLS] and [SEP]."""
        ids = self._tokenizer.encode("").ids
        if len(ids) != 2:
            raise UnsafeFolderError(
                f"{self.where} puts {len(ids)} tokens around a text; expected one before it and one behind."
            )
        if max(ids) > self.highest:
            raise UnsafeFolderError(
                f"{self.where} puts the token {max(ids):,} around texts; its highest token is {self.highest:,}."
            )
        return ids[0], ids[1]

    @cached_property
    def unknown(self) -> int | None:
        """The token for what cannot be spelled, if there is one."""
        model = json.loads(self.description)["model"]
        token = model.get("unk_token")
        return model.get("unk_id") if token is None else self._tokenizer.token_to_id(token)

    @property
    def highest(self) -> int:
        """The largest number of a token; numbers may be left out below it."""
        return max(self._tokenizer.get_vocab().values(), default=-1)

    def __len__(self) -> int:
        return self._tokenizer.get_vocab_size()

    def encode(self, texts: Iterable[str]) -> Sequences:
        """Every text's tokens, to be read between the frame. UsageError for what is no text."""
        ids, parts = Growing(np.int32), [np.zeros(0, np.int64)]
        texts = iter(texts)
        while chunk := list(islice(texts, TEXTS_AT_A_TIME)):
            encoded = self._encode(chunk)
            parts.append(np.array([len(each) for each in encoded], np.int64))
            ids.append(np.array([number for each in encoded for number in each], np.int32))
        lengths = np.concatenate(parts)
        return Sequences(ids.done(), np.cumsum(lengths) - lengths, lengths, frame=self.special_tokens)

    def coverage(self, texts: Iterable[str]) -> np.ndarray:
        """Tokens of each text that are not the unknown one, and tokens there are, (N, 2)."""
        sequences = self.encode(texts)
        strange = np.concatenate([[0], np.cumsum(sequences.ids[:] == self.unknown)])
        unknown = strange[sequences.starts + sequences.lengths] - strange[sequences.starts]
        return np.stack([sequences.lengths - unknown, sequences.lengths], axis=1)

    def tokens(self, text: str) -> list[tuple[str, tuple[int, int]]]:
        """Every token of one text as it is written there, and its ``(start, end)`` in characters."""
        found = self._tokenizer.encode(_clean(text), add_special_tokens=False).offsets
        return [(text[start:end], (start, end)) for start, end in found]

    @cached_property
    def mask_token(self) -> int | None:
        """The token that stood for a hidden word when the weights were trained, if there is one."""
        return next((found for word in MASK_TOKENS if (found := self._tokenizer.token_to_id(word)) is not None), None)

    def _encode(self, texts: list[str]) -> list[list[int]]:
        try:
            clean = [_clean(text) for text in texts]
        except AttributeError as error:
            odd = next(text for text in texts if not isinstance(text, str))
            raise UsageError(f"Expected texts, got {shown(repr(odd))} ({type(odd).__name__}) among them.") from error
        return [each.ids for each in self._tokenizer.encode_batch_fast(clean, add_special_tokens=False)]


def library_tokenizer(description: bytes, where: str) -> Tokenizer:
    """As the ``tokenizers`` library reads it, without the padding and the cutting that it may ask for.

    UnsafeFolderError, which begins with ``where``, for what the library cannot read.
    """
    try:
        text = description.decode("utf-8")
        _check_named(json.loads(text))
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the library raises nothing narrower
        raise UnsafeFolderError(f"{where} is no tokenizer that can be read: {error}.") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _check_named(spec: dict[str, Any]) -> None:
    """ValueError for two things that the library does not check, and which end the process when they are used."""
    processor, model = spec.get("post_processor") or {}, spec["model"]
    for template in (processor, *processor.get("processors", ())):
        for each in (*template.get("single", ()), *template.get("pair", ())):
            name = each.get("SpecialToken", {}).get("id")
            if name is not None and name not in template.get("special_tokens", {}):
                raise ValueError(f"the post-processor puts {shown(name)} around texts and gives no number for it")
    prefix = model.get("continuing_subword_prefix") or ""
    for merge in model.get("merges", ()) if prefix else ():
        if not (merge.split(" ") if isinstance(merge, str) else merge)[-1].startswith(prefix):
            raise ValueError(f"the merge {shown(repr(merge))} goes on with no {shown(prefix)}")


def _clean(text: str) -> str:
    """The library reads UTF-8, which has no half characters."""
    return text.encode("utf-8", "replace").decode("utf-8")
