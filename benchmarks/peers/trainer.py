"""Fine-tuning with the ``transformers`` Trainer: dynamic padding, no evaluation on the way.

    python trainer.py MODEL ROWS BATCH EPOCHS RATE

MODEL is a folder in the Hugging Face layout and ROWS a JSON file with train and test rows.  All processors are used.
"""

import json
import os
import sys
import tempfile
import time

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)


def main(model: str, path: str, batch: int, epochs: int, rate: float) -> None:
    """Train, then score."""
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    labels = sorted(set(rows["train"][1]))
    tokenizer = AutoTokenizer.from_pretrained(model)

    def encoded(part: list[list[str]]) -> list[dict]:
        tokens = tokenizer(part[0], truncation=True)["input_ids"]
        return [{"input_ids": ids, "labels": labels.index(label)} for ids, label in zip(tokens, part[1], strict=True)]

    train, test = encoded(rows["train"]), encoded(rows["test"])
    network = AutoModelForSequenceClassification.from_pretrained(model, num_labels=len(labels))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            network,
            TrainingArguments(
                folder, per_device_train_batch_size=batch, per_device_eval_batch_size=64, num_train_epochs=epochs,
                learning_rate=rate, warmup_steps=0.1, weight_decay=0.01, lr_scheduler_type="linear", seed=0,
                save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True, logging_strategy="no",
            ),
            train_dataset=train, data_collator=DataCollatorWithPadding(tokenizer),
        )
        begun = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - begun
        found = trainer.predict(test).predictions.argmax(axis=1)
    right = sum(int(guess) == row["labels"] for guess, row in zip(found, test, strict=True))
    print(json.dumps({"seconds": seconds, "accuracy": 100 * right / len(test)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
