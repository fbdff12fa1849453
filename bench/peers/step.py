"""The steps of bench/step.ts in PyTorch: times each and prints one JSON object of milliseconds."""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(2)
torch.manual_seed(0)


def batch_hard(embeddings, labels, margin=0.2):
    unit = F.normalize(embeddings)
    distances = 1 - unit @ unit.T
    same = labels[:, None] == labels[None, :]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool)
    hardest_positive = distances.masked_fill(~positive, float("-inf")).max(1).values
    hardest_negative = distances.masked_fill(same, float("inf")).min(1).values
    terms = F.relu(hardest_positive - hardest_negative + margin)
    return terms.sum() / (terms > 0).sum().clamp(min=1)


def mlp():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 128)
    )


def convolutional():
    layers = []
    for inputs in [1, 64, 64, 64]:
        layers += [nn.Conv2d(inputs, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten())


def prepare(model, rows, per_class):
    pixels = torch.rand(rows, 1, 28, 28) * 2 - 1
    labels = torch.arange(rows) // per_class
    optimizer = torch.optim.Adam(model.parameters())

    def step():
        optimizer.zero_grad(set_to_none=True)
        batch_hard(model(pixels), labels).backward()
        optimizer.step()

    return step


steps = {"mlp": prepare(mlp(), 512, 4), "convolutional": prepare(convolutional(), 256, 4)}
# One line in, one timed step out: the caller alternates these with its own.
for line in sys.stdin:
    start = time.perf_counter()
    steps[line.strip()]()
    print(json.dumps((time.perf_counter() - start) * 1000), flush=True)
