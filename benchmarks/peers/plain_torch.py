"""A plain PyTorch training loop for documents: the loop that tutorials teach, written with care and without tricks.

    python plain_torch.py RUN.npz RUN.json

Random batches of a fixed number of rows from a shuffled DataLoader, padded to their longest row; ``nn.Embedding``,
``nn.Dropout``, a bidirectional ``nn.LSTM`` over the padded batch or ``nn.TransformerEncoder`` with a padding mask,
mean and maximum over real positions, ``torch.optim.AdamW`` as it comes, clipped gradients, a linear schedule. Widths,
layers, rates, dropout, epochs and rows a batch are those given. With ``pieces`` a word's vector is its own plus the
mean of its pieces' (``nn.EmbeddingBag``); without, its own alone.

Timed: the epochs from the first batch to the last. FittedLinear: real tokens, no padding.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

PADDING, UNKNOWN = 0, 1
DEVIATION = 0.1


class Words(nn.Module):
    """(B, L) -> (B, L, D)."""

    def __init__(self, run, spelling):
        super().__init__()
        self.word_dropout = run["options"]["word_dropout"]
        self.own = nn.Embedding(run["words"], run["options"]["width"], padding_idx=PADDING)
        nn.init.normal_(self.own.weight, std=DEVIATION)
        self.bags, self.spelling = None, spelling
        if run["pieces"]:
            self.bags = nn.EmbeddingBag(run["pieces"], run["options"]["width"], mode="mean")
            nn.init.normal_(self.bags.weight, std=DEVIATION)

    def forward(self, tokens):
        if self.training:
            dropped = torch.rand(tokens.shape) < self.word_dropout
            tokens = tokens.masked_fill(dropped & (tokens != PADDING), UNKNOWN)
        words, pieces, borders = self.spelling
        vectors = self.own(words[tokens])
        if self.bags is None:
            return vectors
        flat = tokens.flatten()
        counts = borders[flat + 1] - borders[flat]
        begins = counts.cumsum(0) - counts
        where = torch.arange(int(counts.sum())) + torch.repeat_interleave(borders[flat] - begins, counts)
        return vectors + self.bags(pieces[where], begins).view_as(vectors)


class LSTM(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.dropout = nn.Dropout(options["dropout"])
        self.states = nn.LSTM(options["width"], options["width"] // 2, bidirectional=True, batch_first=True)

    def forward(self, vectors, mask):
        return self.states(self.dropout(vectors))[0]


class Transformer(nn.Module):
    def __init__(self, options, longest):
        super().__init__()
        width = options["width"]
        frequencies = 10_000.0 ** (-torch.arange(0, width, 2) / width)
        angles = torch.arange(longest)[:, None] * frequencies
        self.positions = DEVIATION * torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
        self.dropout = nn.Dropout(options["embedding_dropout"])
        layer = nn.TransformerEncoderLayer(
            width, options["heads"], options["feed_forward"], options["dropout"], activation="relu",
            batch_first=True, norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(
            layer, options["layers"], norm=nn.LayerNorm(width), enable_nested_tensor=False
        )

    def forward(self, vectors, mask):
        vectors = self.dropout(vectors + self.positions[: vectors.shape[1]])
        return self.encoder(vectors, src_key_padding_mask=~mask)


class Classifier(nn.Module):
    def __init__(self, run, spelling):
        super().__init__()
        options = run["options"]
        self.words = Words(run, spelling)
        self.network = LSTM(options) if run["family"] == "lstm" else Transformer(options, run["longest"])
        self.dropout = nn.Dropout(options["dropout"])
        self.scores = nn.Linear(2 * options["width"], run["outputs"])

    def forward(self, tokens):
        mask = tokens != PADDING
        vectors = self.network(self.words(tokens), mask)
        real = mask[:, :, None]
        mean = (vectors * real).sum(dim=1) / real.sum(dim=1)
        highest = vectors.masked_fill(~real, float("-inf")).amax(dim=1)
        return self.scores(self.dropout(torch.cat([mean, highest], dim=-1)))


def padded(rows):
    return pad_sequence([tokens for tokens, _ in rows], batch_first=True), torch.tensor([label for _, label in rows])


def rows_of(arrays, part):
    ids, borders = torch.from_numpy(arrays[f"{part}_ids"].astype(np.int64)), arrays[f"{part}_offsets"]
    labels = arrays[f"{part}_labels"].tolist()
    return [(ids[a:b], label) for a, b, label in zip(borders[:-1], borders[1:], labels, strict=True)]


def loss_of(scores, labels, smoothing):
    if scores.shape[1] == 1:
        return binary_cross_entropy_with_logits(scores[:, 0], labels * (1 - smoothing) + smoothing / 2)
    return cross_entropy(scores, labels, label_smoothing=smoothing)


def main():
    arrays = np.load(sys.argv[1])
    with open(sys.argv[2]) as file:
        run = json.load(file)
    torch.manual_seed(run["seed"])
    torch.set_num_threads(run["threads"])
    spelling = tuple(torch.from_numpy(arrays[kind]) for kind in ("words", "pieces", "borders"))
    rows, training = rows_of(arrays, "train"), run["training"]
    model = Classifier(run, spelling)
    loader = DataLoader(rows, run["rows_a_batch"], shuffle=True, collate_fn=padded)
    steps = len(loader) * run["epochs"]
    warm = training["warmup"]
    optimizer = torch.optim.AdamW(
        model.parameters(), run["options"]["learning_rate"], weight_decay=training["weight_decay"]
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / steps / warm, (1 - step / steps) / (1 - warm))
    )
    tokens = 0
    begun = time.perf_counter()
    model.train()
    for _ in range(run["epochs"]):
        for batch, labels in loader:
            optimizer.zero_grad()
            loss = loss_of(model(batch), labels, training["label_smoothing"])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), training["max_grad_norm"])
            optimizer.step()
            schedule.step()
            tokens += int((batch != PADDING).sum())
    seconds = time.perf_counter() - begun
    model.eval()
    right = 0
    with torch.inference_mode():
        for batch, labels in DataLoader(rows_of(arrays, "test"), 16, collate_fn=padded):
            scores = model(batch)
            answers = (scores[:, 0] > 0).long() if scores.shape[1] == 1 else scores.argmax(dim=1)
            right += int((answers == labels).sum())
    print(json.dumps({
        "tokens_per_second": tokens / seconds, "seconds": seconds, "epochs": run["epochs"],
        "accuracy": 100 * right / len(arrays["test_labels"]),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }))


if __name__ == "__main__":
    main()
