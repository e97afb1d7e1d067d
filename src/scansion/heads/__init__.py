"""Vectors to answers, and the loss of each kind of answer."""
