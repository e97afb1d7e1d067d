"""scikit-learn's TfidfVectorizer and LogisticRegression: fit and predict, in seconds.

    python sklearn_counting.py ROWS.json bag-of-words|n-grams

The tokens are scansion's words: a run of letters, digits and underscores, with apostrophes inside it, or one other
visible character. The strength of the regression is the library's default, so nothing is spent on choosing it.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

WORDS = r"\w+(?:['’]\w+)*|[^\w\s]"
VECTORISERS = {
    "bag-of-words": lambda: TfidfVectorizer(token_pattern=WORDS, sublinear_tf=True),
    "n-grams": lambda: make_union(
        TfidfVectorizer(token_pattern=WORDS, sublinear_tf=True, ngram_range=(1, 3), min_df=2),
        TfidfVectorizer(analyzer="char_wb", sublinear_tf=True, ngram_range=(3, 5), min_df=2),
    ),
}

stored = json.loads(Path(sys.argv[1]).read_text())
(texts, labels), (test_texts, test_labels) = stored["train"], stored["test"]
begun = time.perf_counter()
pipeline = make_pipeline(VECTORISERS[sys.argv[2]](), LogisticRegression(max_iter=1000))
answers = pipeline.fit(texts, labels).predict(test_texts)
seconds = time.perf_counter() - begun
print(json.dumps({"seconds": seconds, "accuracy": 100 * float(np.mean(answers == np.array(test_labels)))}))
