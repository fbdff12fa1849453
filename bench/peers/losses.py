"""Times losses and their gradients in PyTorch on request, in milliseconds: the formulas of src/losses, over masks."""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(2)
D = 128
FAR = 1e30


def labels_of(classes, n):
    """Four of each class; or class i has i + 1 members, until the batch is full."""
    if classes == "even":
        return torch.arange(n) // 4
    sizes, label = [], 0
    while len(sizes) < n:
        sizes += [label] * (label + 1)
        label += 1
    return torch.tensor(sizes[:n])


class Batch:
    def __init__(self, classes, n):
        torch.manual_seed(0)
        self.n = n
        self.x = torch.rand(n, D).mul_(2).sub_(1).requires_grad_()
        self.labels = labels_of(classes, n)
        self.classes = int(self.labels.max()) + 1
        self.eye = torch.eye(n, dtype=torch.bool)
        equal = self.labels[:, None] == self.labels[None, :]
        self.same, self.other = equal & ~self.eye, ~equal
        self.weights = {k: torch.rand(self.classes * k, D).mul_(2).sub_(1).requires_grad_() for k in (1, 3, 10)}
        self.own = F.one_hot(self.labels, self.classes).bool()

    def cos(self):
        u = F.normalize(self.x, dim=1)
        return u @ u.t()

    def chord(self):
        return (2 - 2 * self.cos()).clamp_min(1e-6).sqrt()

    def euclidean(self):
        s = self.x.square().sum(1)
        return (s[:, None] + s[None, :] - 2 * self.x @ self.x.t()).clamp_min(1e-6).sqrt()

    def near(self, k=1):
        return F.normalize(self.x, dim=1) @ F.normalize(self.weights[k], dim=1).t()


def lse(x, mask, dim=1):
    return x.masked_fill(~mask, -FAR).logsumexp(dim)


def over(terms, mask):
    kept = terms * mask
    return kept.sum() / mask.sum()


def non_zero(terms, mask):
    kept = terms * mask
    return kept.sum() / (kept > 0).sum().clamp_min(1)


def cube(b, term):
    d = 1 - b.cos()
    terms = term(d.unsqueeze(2) - d.unsqueeze(1))
    mask = b.same.unsqueeze(2) & b.other.unsqueeze(1)
    return (terms * mask).sum() / mask.sum()


def triplet(b):
    return cube(b, lambda x: torch.relu(x + 0.2))


def cosine_margin_triplet(b):
    return cube(b, lambda x: F.softplus(8 * (x + 0.2)))


def contrastive(b):
    d = 1 - b.cos()
    return non_zero(d.relu(), b.same) + non_zero((1 - d).relu(), b.other)


def ntxent(b, t=0.07):
    s = b.cos() / t
    return over(F.softplus(lse(s, b.other)[:, None] - s), b.same)


def supcon(b, t=0.1):
    s = b.cos() / t
    own = (s * b.same).sum(1) / b.same.sum(1).clamp_min(1)
    return (lse(s, b.same | b.other) - own).mean()


def multi_similarity(b):
    d = 1 - b.cos()
    return (F.softplus(lse(2 * (d - 0.5), b.same)) / 2 + F.softplus(lse(50 * (0.5 - d), b.other)) / 50).mean()


def circle(b, m=0.4, g=80):
    s = b.cos()
    p = -g * (1 + m - s.detach()).relu() * (s - 1 + m)
    n = g * (s.detach() + m).relu() * (s - m)
    return F.softplus(lse(p, b.same) + lse(n, b.other)).mean()


def in_batch(scale, normalize):
    def loss(b):
        x = F.normalize(b.x, dim=1) if normalize else b.x
        order = torch.argsort(b.labels, stable=True)
        sizes = torch.bincount(b.labels)
        first = order[(sizes.cumsum(0) - sizes)[sizes > 1]]
        return F.cross_entropy(scale * x[first] @ x[first + 1].t(), torch.arange(len(first)))

    return loss


def lifted(b):
    d = b.euclidean()
    row = lse(1 - d, b.other)
    both = torch.logaddexp(row[:, None], row[None, :])
    return over((both + d).relu().square() / 2, b.same)


def generalized_lifted(b):
    d = b.euclidean()
    return (lse(d, b.same) + lse(1 - d, b.other)).relu().mean()


def margin(b):
    d = b.chord()
    p = (d - 1.0).relu() * b.same * b.other.sum(1, keepdim=True)
    n = (1.4 - d).relu() * b.other * b.same.sum(1, keepdim=True)
    return (p.sum() + n.sum()) / ((p > 0).sum() + (n > 0).sum()).clamp_min(1)


def angular(b):
    t = math.tan(math.radians(40)) ** 2
    s = b.cos()
    a, p = torch.where(b.same)
    exponents = 4 * t * (s[a] + s[p]) - 2 * (1 + t) * s[a, p][:, None]
    return F.softplus(lse(exponents, b.other[a])).mean()


def pulses(d, bins, width):
    edges = torch.arange(bins + 1).view(-1, 1, 1) * width
    return (1 - (d - edges).abs() / width).relu()


def fast_ap(b, bins=10):
    h = pulses(2 - 2 * b.cos(), bins, 4 / bins)
    p, n = (h * b.same).sum(2).t(), (h * b.other).sum(2).t()
    upto, total = p.cumsum(1), (p + n).cumsum(1)
    return (1 - (p * upto / total.clamp_min(1e-12)).sum(1) / b.same.sum(1).clamp_min(1)).mean()


def histogram(b, bins=100):
    s = b.cos() + 1
    width = 2 / bins

    def density(values):
        place = values / width
        low = place.floor().long().clamp(0, bins - 1)
        rest = place - low
        counts = torch.zeros(bins + 1).scatter_add(0, low, 1 - rest).scatter_add(0, low + 1, rest)
        return counts / len(values)

    return (density(s[b.other]) * density(s[b.same]).cumsum(0)).sum()


def intra_pair_variance(b):
    s = b.cos()
    p, n = s[b.same], s[b.other]
    return (0.99 * p.mean() - p).relu().square().mean() + (n - 1.01 * n.mean()).relu().square().mean()


def nca(b):
    s = 2 * b.cos() - 2
    return (lse(s, b.same | b.other) - lse(s, b.same)).mean()


def tuplet_margin(b, angle=math.radians(5.73)):
    s = b.cos()
    slack = torch.cos(torch.acos(s.clamp(-1 + 1e-6, 1 - 1e-6)) - angle)
    return over(F.softplus(lse(64 * s, b.other)[:, None] - 64 * slack), b.same)


def snr_contrastive(b):
    u = F.normalize(b.x, dim=1)
    c = u - u.mean(1, keepdim=True)
    v = c.square().sum(1)
    d = (v[:, None] + v[None, :] - 2 * c @ c.t()).relu() / v[:, None]
    return non_zero((d - 0.01).relu(), b.same) + non_zero((0.2 - d).relu(), b.other) + 0.1 * b.x.sum(1).abs().mean()


def threshold_consistent(b):
    d = 1 - b.cos()
    return non_zero((d - 0.1).relu(), b.same) + non_zero((0.5 - d).relu(), b.other)


def dynamic_soft_margin(b, bins=10):
    d = b.chord()
    a, p = torch.where(b.same)
    x = (d[a, p][:, None] - d[a])[b.other[a]]
    place = (x + 2) / (4 / bins)
    low = place.floor().long().clamp(0, bins - 1)
    rest = place - low
    h = torch.zeros(bins + 1).scatter_add(0, low, 1 - rest).scatter_add(0, low + 1, rest)
    return ((h / h.sum()).cumsum(0)[low] * x).mean()


def ranked_list(b):
    d = b.chord()

    def part(v, mask, t):
        counted = mask & (v > 0)
        v = v * counted
        w = (t * v).exp() * counted
        return (w * v).sum(1) / (w.sum(1) + 1e-5 * b.n)

    return (0.5 * part(d - 0.8, b.same, 0) + 0.5 * part(1.2 - d, b.other, 10)).mean()


def pnp(b):
    s = b.cos()
    a, p = torch.where(b.same | b.eye)
    rank = (torch.sigmoid((s[a] - s[a, p][:, None]) / 0.01) * b.other[a]).sum(1)
    count = (b.same | b.eye).sum(1)
    return (rank / count[a]).sum() / b.n


def co_sent(b):
    s = 20 * b.cos()
    return F.softplus(s[b.other].logsumexp(0) + (-s[b.same]).logsumexp(0))


def angle(b):
    u = F.normalize(b.x, dim=1)
    re, im = u[:, : D // 2], u[:, D // 2 :]
    s = 20 * (u @ torch.cat([re - im, re + im], 1).t()).abs()
    return F.softplus(s[b.other].logsumexp(0) + (-s[b.same]).logsumexp(0))


def cosine_mse(b):
    return over((b.cos() - b.same.float()).square(), ~b.eye)


def vicreg(b):
    z = b.x[: b.n // 2], b.x[b.n // 2 :]
    loss = 25 * (z[0] - z[1]).square().mean()
    for each in z:
        c = each - each.mean(0)
        cov = c.t() @ c / (len(c) - 1)
        std = (cov.diagonal() + 1e-4).sqrt()
        loss = loss + 12.5 * (1 - std).relu().mean()
        loss = loss + (cov.square().sum() - cov.diagonal().square().sum()) / D
    return loss


def arcface(k):
    def loss(b, m=math.radians(28.6)):
        near = b.near(k)
        if k > 1:
            near = near.view(b.n, b.classes, k).max(2).values
        own = near.gather(1, b.labels[:, None])
        wide = torch.cos(torch.acos(own.clamp(-1 + 1e-6, 1 - 1e-6)) + m)
        moved = torch.where(own >= -math.cos(m), wide, own - m * math.sin(m))
        return F.cross_entropy(64 * near.scatter(1, b.labels[:, None], moved), b.labels)

    return loss


def cosface(b):
    return F.cross_entropy(64 * (b.near() - 0.35 * b.own), b.labels)


def multiplied(by_weights):
    def loss(b):
        near = b.near()
        own = near.gather(1, b.labels[:, None]).clamp(-1, 1)
        k = torch.floor(torch.acos(own.detach()) / (math.pi / 4))
        wide = torch.pow(-1.0, k) * (8 * own**4 - 8 * own**2 + 1) - 2 * k
        factor = b.x.norm(dim=1, keepdim=True)
        if by_weights:
            factor = factor * b.weights[1].norm(dim=1)
        return F.cross_entropy(near.scatter(1, b.labels[:, None], wide) * factor, b.labels)

    return loss


def proxy_anchor(b):
    near = b.near()
    p = F.softplus(lse(-32 * (near - 0.1), b.own, 0)).sum() / b.own.any(0).sum()
    return p + F.softplus(lse(32 * (near + 0.1), ~b.own, 0)).mean()


def soft_triple(b):
    near = b.near(10).view(b.n, b.classes, 10)
    soft = (F.softmax(near / 0.1, 2) * near).sum(2)
    return F.cross_entropy(20 * (soft - 0.01 * b.own), b.labels)


def manifold(b):
    u = F.normalize(torch.cat([b.x, b.weights[1]]), dim=1)
    k = len(u)
    s = torch.exp(2 * (u @ u.t()).relu()) * (1 - torch.eye(k))
    degree = s.sum(1).rsqrt()
    walk = 0.2 * torch.inverse(torch.eye(k) - 0.8 * degree[:, None] * s * degree[None, :])
    examples, proxies = walk[: b.n], walk[b.n :]

    def cost(near):
        v = near - (near * b.own).sum(1, keepdim=True) + 5e-4
        return F.softplus(lse(v, ~b.own & (v >= 0))).mean()

    return cost(examples[:, b.n :]) + cost(F.normalize(examples, dim=1) @ F.normalize(proxies, dim=1).t())


LOSSES = {
    "triplet": triplet,
    "cosineMarginTriplet": cosine_margin_triplet,
    "contrastive": contrastive,
    "ntxent": ntxent,
    "supcon": supcon,
    "multiSimilarity": multi_similarity,
    "circle": circle,
    "nPairs": in_batch(1, False),
    "multipleNegatives": in_batch(20, True),
    "liftedStructure": lifted,
    "generalizedLiftedStructure": generalized_lifted,
    "margin": margin,
    "angular": angular,
    "fastAP": fast_ap,
    "histogram": histogram,
    "intraPairVariance": intra_pair_variance,
    "nca": nca,
    "tupletMargin": tuplet_margin,
    "snrContrastive": snr_contrastive,
    "thresholdConsistentMargin": threshold_consistent,
    "dynamicSoftMargin": dynamic_soft_margin,
    "rankedList": ranked_list,
    "pnp": pnp,
    "coSENT": co_sent,
    "angle": angle,
    "cosineMse": cosine_mse,
    "vicreg": vicreg,
    "arcface": arcface(1),
    "cosface": cosface,
    "sphereface": multiplied(False),
    "subCenterArcface": arcface(3),
    "normalizedSoftmax": lambda b: F.cross_entropy(20 * b.near(), b.labels),
    "largeMarginSoftmax": multiplied(True),
    "p2sGrad": lambda b: (b.near() - b.own.float()).square().mean(),
    "instance": lambda b: F.cross_entropy(b.x @ b.weights[1].t(), b.labels),
    "proxyNCA": lambda b: F.cross_entropy(2 * b.near() - 2, b.labels),
    "proxyAnchor": proxy_anchor,
    "softTriple": soft_triple,
    "manifold": manifold,
}

batches = {}
# One line in, one timed loss with its gradient out: the caller alternates these with its own.
for line in sys.stdin:
    name, classes, n = line.split()
    key = classes, int(n)
    if key not in batches:
        batches[key] = Batch(*key)
    batch = batches[key]
    parameters = [batch.x, *batch.weights.values()]
    for each in parameters:
        each.grad = None
    start = time.perf_counter()
    LOSSES[name](batch).backward()
    print(json.dumps((time.perf_counter() - start) * 1000), flush=True)
