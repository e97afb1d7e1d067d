"""The estimators, one a task."""
