"""The public contract suite for text estimators."""
