"""Every claim by name, in the order of the talk.  A new one is a file in this folder and a line here."""

from scansion.deferred import DeferredTable

CLAIMS = DeferredTable({
    "order": ("scansion.claims.order", "CLAIM"),
    "dimensions": ("scansion.claims.dimensions", "CLAIM"),
    "vanishing-gradients": ("scansion.claims.vanishing_gradients", "CLAIM"),
    "depth": ("scansion.claims.depth", "CLAIM"),
    "training-difficulty": ("scansion.claims.training_difficulty", "CLAIM"),
    "transfer": ("scansion.claims.transfer", "CLAIM"),
    "attention-looks": ("scansion.claims.attention_looks", "CLAIM"),
    "n-squared": ("scansion.claims.n_squared", "CLAIM"),
    "heads": ("scansion.claims.multiple_heads", "CLAIM"),
    "positions": ("scansion.claims.position_signals", "CLAIM"),
    "relu": ("scansion.claims.relu", "CLAIM"),
    "bottleneck": ("scansion.claims.bottleneck", "CLAIM"),
    "lstm-lives": ("scansion.claims.lstm_lives", "CLAIM"),
})
