"""Documents in: what becomes examples, tokens and ids."""
