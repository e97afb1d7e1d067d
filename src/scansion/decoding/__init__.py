"""From scores of the next token to whole sequences: greedy, beam, sampling; over a step, never over a model."""
