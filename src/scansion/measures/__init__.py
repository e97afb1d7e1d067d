"""How good a prediction is, how sure that is, and whether two families differ.

scores          one plain function a measure, and which measures a kind of task has
contributions   what each row adds to a score, so that rows can be resampled and compared
intervals       the interval of a score, over rows and over seeds
paired          two families on the same rows: tests, Holm, ranks, what could have been seen
"""
