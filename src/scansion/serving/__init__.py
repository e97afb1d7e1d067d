"""Fitted models behind HTTP: queues and batches, and the dialects that existing clients speak."""
