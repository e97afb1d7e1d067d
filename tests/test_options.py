"""Options out of bounds are refused where they are given, with what was expected."""

import pytest

from scansion.errors import UsageError
from scansion.families.bag_of_words import BagOfWords
from scansion.families.lstm import LSTM
from scansion.families.ngrams import NGrams
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.learning.training import Training


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        (LSTM, {"width": 7}, "LSTM: width must be a whole number of at least 2 and a multiple of 2; got 7"),
        (RNN, {"width": 0}, "RNN: width must be a whole number of at least 2 and a multiple of 2; got 0"),
        (RNN, {"dropout": 5}, "RNN: dropout must be at least 0 and below 1; got 5"),
        (LSTM, {"word_dropout": "much"}, "word_dropout must be at least 0 and below 1; got 'much'"),
        (LSTM, {"learning_rate": 0}, "learning_rate must be a number above 0; got 0"),
        (Transformer, {"width": 130}, "width must be a whole number of at least 4 and a multiple of 4; got 130"),
        (Transformer, {"width": 9, "heads": 3}, "at least 6 and a multiple of 6; got 9"),
        (Transformer, {"heads": 0}, "heads must be a whole number of at least 1; got 0"),
        (Transformer, {"max_length": 1}, "max_length must be a whole number of at least 2; got 1"),
        (Transformer, {"layers": True}, "layers must be a whole number of at least 1; got True"),
        (BagOfWords, {"min_documents": 0}, "min_documents must be a whole number of at least 1; got 0"),
        (NGrams, {"order": 1.5}, "order must be a whole number of at least 1; got 1.5"),
        (Training, {"max_epochs": 2}, "max_epochs must be a whole number of at least 3; got 2"),
        (Training, {"validation_fraction": 0}, "validation_fraction must be a number above 0; got 0"),
        (Training, {"label_smoothing": float("nan")}, "label_smoothing must be at least 0 and below 1; got nan"),
    ],
)
def test_an_option_out_of_bounds_is_refused_with_what_was_expected(kind, options, expected):
    with pytest.raises(UsageError) as caught:
        kind(**options)
    assert expected in str(caught.value)
