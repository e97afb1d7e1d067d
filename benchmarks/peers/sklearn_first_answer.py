"""scikit-learn's pipeline from a joblib file: one text, one answer.

    python sklearn_first_answer.py fit ROWS.json bag-of-words|n-grams MODEL.joblib
    python sklearn_first_answer.py answer MODEL.joblib "a text"
"""

import json
import sys
from pathlib import Path

import joblib

WORDS = r"\w+(?:['’]\w+)*|[^\w\s]"


def fit(rows: str, family: str, place: str) -> None:
    """TF-IDF and logistic regression, with the library's default strength."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    words = TfidfVectorizer(token_pattern=WORDS, sublinear_tf=True)
    grams = make_union(
        TfidfVectorizer(token_pattern=WORDS, sublinear_tf=True, ngram_range=(1, 3), min_df=2),
        TfidfVectorizer(analyzer="char_wb", sublinear_tf=True, ngram_range=(3, 5), min_df=2),
    )
    texts, labels = json.loads(Path(rows).read_text(encoding="utf-8"))
    vectors = {"bag-of-words": words, "n-grams": grams}[family]
    joblib.dump(make_pipeline(vectors, LogisticRegression(max_iter=1000)).fit(texts, labels), place)


def answer(place: str, text: str) -> None:
    """The label of one text."""
    print(joblib.load(place).predict([text])[0])


if __name__ == "__main__":
    {"fit": fit, "answer": answer}[sys.argv[1]](*sys.argv[2:])
