"""Fitted models as the files of other runtimes: one file a target and kind of model, one table of them."""
