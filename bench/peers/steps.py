"""The steps of bench/steps.ts in PyTorch."""

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


def all_triplets(embeddings, labels, margin=0.2):
    unit = F.normalize(embeddings)
    distances = 1 - unit @ unit.T
    same = labels[:, None] == labels[None, :]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool)
    anchor, near = positive.nonzero(as_tuple=True)
    terms = F.relu(distances[anchor, near][:, None] - distances[anchor] + margin) * ~same[anchor]
    return terms.sum() / (terms > 0).sum().clamp(min=1)


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(384, 12, 1536, dropout=0.0, activation="gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 6)

    def forward(self, tokens):
        return self.layers(tokens).mean(1)


def prepare(model, inputs, loss, optimizer):
    labels = torch.arange(len(inputs)) // 4
    chosen = optimizer(model.parameters())

    def step():
        chosen.zero_grad(set_to_none=True)
        loss(model(inputs), labels).backward()
        chosen.step()

    return step


def pixels(rows):
    return torch.rand(rows, 1, 28, 28) * 2 - 1


make = {
    "mlp": lambda: prepare(mlp(), pixels(512), batch_hard, torch.optim.Adam),
    "convolutional": lambda: prepare(convolutional(), pixels(256), all_triplets, torch.optim.Adam),
    "transformer": lambda: prepare(Transformer(), torch.rand(32, 64, 384) * 2 - 1, all_triplets, torch.optim.AdamW),
}
