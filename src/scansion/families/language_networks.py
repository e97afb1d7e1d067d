"""The language families that learn by gradients, by name: alone, or as a part of another. A new one is a line here."""

from scansion.deferred import DeferredTable

NETWORKS = DeferredTable({
    "rnn": ("scansion.families.recurrent_language_model", "RNNLanguageModel"),
    "gru": ("scansion.families.recurrent_language_model", "GRULanguageModel"),
    "lstm": ("scansion.families.recurrent_language_model", "LSTMLanguageModel"),
    "transformer": ("scansion.families.causal_transformer", "CausalTransformer"),
})
