"""The tokenizer of pretrained weights: a ``tokenizer.json`` that came with pretrained weights."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
from tokenizers import Tokenizer

from scansion.errors import ScansionError, UnsafeFolderError, UsageError, shown
from scansion.spill import Growing
from scansion.text.batches import Sequences
from scansion.text.tokenizer_bounds import check_tokenizer

TEXTS_AT_A_TIME = 4_096
MOST_OF_A_REASON = 300
"""Characters of what the library says."""
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
        with told(self.where):
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
        with told(self.where):
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
        with told(self.where):
            return [each.ids for each in self._tokenizer.encode_batch_fast(clean, add_special_tokens=False)]


def library_tokenizer(description: bytes, where: str, words: int | None = None) -> Tokenizer:
    """As the ``tokenizers`` library reads it, without the padding and the cutting that it may ask for.

    UnsafeFolderError, which begins with ``where``, for what the library cannot read, for what could take it for ever,
    and for tokens that are not among the ``words`` that weights know.
    """
    with told(where, "is no tokenizer that can be read"):
        text = description.decode("utf-8")
        spec = json.loads(text)
        check_tokenizer(spec, where, words)
        del spec
        tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@contextmanager
def told(where: str, what: str = "cannot read every text") -> Iterator[None]:
    """UnsafeFolderError in place of all that the library raises: exceptions without a class of their own, and panics,
    which are no exceptions to Python."""
    try:
        yield
    except ScansionError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
            raise
        reason = "".join(letter if letter.isprintable() else " " for letter in str(error)[:MOST_OF_A_REASON])
        raise UnsafeFolderError(f"{where} {what}: {reason.rstrip('. ')}.") from error


def _clean(text: str) -> str:
    """The library reads UTF-8, which has no half characters."""
    return text.encode("utf-8", "replace").decode("utf-8")
