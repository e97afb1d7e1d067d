"""How a pretrained language model learns on from the user's texts, read by the tokenizer that came with its weights."""

from functools import partial

from scansion.errors import UsageError
from scansion.families.pretrained_decoder import PretrainedDecoder
from scansion.models.decoder_folder import read_decoder
from scansion.models.neural_language import pretrained_network
from scansion.tasks.language_fit import Begun
from scansion.tasks.language_training import train


def begun(family: PretrainedDecoder, tokens: str | None, vocab_size: int | None) -> Begun:
    """The tokens of a folder, and what learns on from its weights. UsageError for tokens of another kind."""
    if tokens is not None or vocab_size is not None:
        raise UsageError("The tokens of a pretrained language model are those of its folder. Leave --tokens out.")
    found, units = read_decoder(family)
    learn = partial(
        train, family=found.family, start=found.weights,
        finished=lambda network, _: pretrained_network(network, found.begin, found.end),
    )
    return Begun(units, "as its tokenizer has them", learn, found.family)
