"""BERT and its relatives that normalise after each sum: RoBERTa, DistilBERT, ELECTRA, ALBERT, MPNet."""
import math

import torch
from torch import nn
from torch.nn import functional

from case import Case, Prompt
from inputs import CLASSES, TEXT, VOCABULARY, text, text_axes, with_classes, with_upstream
from layers import LOWEST, Attention, Mlp, additive_mask, gelu_tanh

WIDTH, HEADS, INNER, LAYERS, POSITIONS = 32, 4, 32, 2, 32


def positions_from_ids(ids, padding):
    """RoBERTa's: counted over the tokens that are no padding, from padding + 1."""
    mask = ids.ne(padding).int()
    return (torch.cumsum(mask, dim=1).type_as(mask) * mask).long() + padding


class Embeddings(nn.Module):
    def __init__(self, width=WIDTH, types=True, padding=None):
        super().__init__()
        self.word = nn.Embedding(VOCABULARY, width)
        self.position = nn.Embedding(POSITIONS, width)
        self.segment = nn.Embedding(2, width) if types else None
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.padding = padding
        self.register_buffer('position_ids', torch.arange(POSITIONS).expand((1, -1)))

    def forward(self, ids, types=None):
        positions = self.position_ids[:, : ids.size()[1]]
        if self.padding is not None:
            positions = positions_from_ids(ids, self.padding)
        x = self.word(ids)
        if self.segment is not None:
            types = torch.zeros(ids.size(), dtype=torch.long) if types is None else types
            x = x + self.segment(types)
        x = x + self.position(positions)
        return self.norm(x)


class Layer(nn.Module):
    def __init__(self, activation=functional.gelu):
        super().__init__()
        self.attention = Attention(WIDTH, HEADS)
        self.attention_norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.mlp = Mlp(WIDTH, INNER, activation)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x, mask, bias=None):
        x = self.attention_norm(self.attention(x, mask, bias) + x)
        return self.norm(self.mlp(x) + x)


class Bert(nn.Module):
    """BertForSequenceClassification: tanh pooler on the first token."""

    def __init__(self):
        super().__init__()
        self.embeddings = Embeddings()
        self.layer = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.pooler = nn.Linear(WIDTH, WIDTH)
        self.classifier = nn.Linear(WIDTH, 2)

    def forward(self, ids, mask, types):
        bias = additive_mask(mask, self.pooler.weight.dtype)
        x = self.embeddings(ids, types)
        for layer in self.layer:
            x = layer(x, bias)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


class Roberta(nn.Module):
    """Position ids counted from input_ids; the head is dense, tanh, projection."""

    def __init__(self):
        super().__init__()
        self.embeddings = Embeddings(padding=1)
        self.layer = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.dense, self.out_proj = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 3)

    def forward(self, ids, mask):
        bias = additive_mask(mask, self.dense.weight.dtype)
        x = self.embeddings(ids)
        for layer in self.layer:
            x = layer(x, bias)
        return self.out_proj(torch.tanh(self.dense(x[:, 0, :])))


class Electra(nn.Module):
    """Narrow embeddings, projected; the head has a GELU."""

    def __init__(self):
        super().__init__()
        self.embeddings = Embeddings(width=16)
        self.project = nn.Linear(16, WIDTH)
        self.layer = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.dense, self.out_proj = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2)

    def forward(self, ids, mask, types):
        bias = additive_mask(mask, self.dense.weight.dtype)
        x = self.project(self.embeddings(ids, types))
        for layer in self.layer:
            x = layer(x, bias)
        return self.out_proj(functional.gelu(self.dense(x[:, 0, :])))


class Albert(nn.Module):
    """One layer's weights for all layers, narrow embeddings, tanh GELU."""

    def __init__(self):
        super().__init__()
        self.embeddings = Embeddings(width=16)
        self.mapping = nn.Linear(16, WIDTH)
        self.layer = Layer(gelu_tanh)
        self.pooler = nn.Linear(WIDTH, WIDTH)
        self.classifier = nn.Linear(WIDTH, 2)

    def forward(self, ids, mask, types):
        bias = additive_mask(mask, self.pooler.weight.dtype)
        x = self.mapping(self.embeddings(ids, types))
        for _ in range(3):
            x = self.layer(x, bias)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


class DistilAttention(Attention):
    """Queries are scaled before the product; masked scores are replaced, not shifted."""

    def forward(self, x, mask=None, bias=None):
        batch, length = x.size(0), x.size(1)

        def split(y):
            return y.view(batch, -1, self.heads, self.size).transpose(1, 2)

        queries, keys, values = split(self.query(x)), split(self.key(x)), split(self.value(x))
        queries = queries / math.sqrt(self.size)
        scores = torch.matmul(queries, keys.transpose(2, 3))
        hidden = (mask == 0).view(batch, 1, 1, length).expand_as(scores)
        weights = functional.softmax(scores.masked_fill(hidden, LOWEST), dim=-1)
        context = torch.matmul(weights, values).transpose(1, 2).contiguous()
        return self.out(context.view(batch, -1, self.heads * self.size))


class Distilbert(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = Embeddings(types=False)
        self.layer = nn.ModuleList(Layer() for _ in range(LAYERS))
        for layer in self.layer:
            layer.attention = DistilAttention(WIDTH, HEADS)
        self.pre_classifier, self.classifier = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2)

    def forward(self, ids, mask):
        x = self.embeddings(ids)
        for layer in self.layer:
            x = layer(x, mask)
        return self.classifier(torch.relu(self.pre_classifier(x[:, 0])))


def relative_bucket(distance, buckets, maximum, both=True):
    """T5's: exact for small distances, logarithmic for large ones. distance = key position - query position."""
    result = 0
    if both:
        buckets //= 2
        result = (distance > 0).to(torch.long) * buckets
        distance = torch.abs(distance)
    else:
        distance = -torch.min(distance, torch.zeros_like(distance))
    exact = buckets // 2
    far = exact + (
        torch.log(distance.float() / exact) / math.log(maximum / exact) * (buckets - exact)
    ).to(torch.long)
    far = torch.min(far, torch.full_like(far, buckets - 1))
    return result + torch.where(distance < exact, distance, far)


class Mpnet(nn.Module):
    """A relative position bias, computed once and shared by all layers; feature extraction."""

    def __init__(self):
        super().__init__()
        self.embeddings = Embeddings(types=False, padding=1)
        self.layer = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.relative = nn.Embedding(8, HEADS)

    def bias(self, x):
        batch, length = x.size(0), x.size(1)
        context = torch.arange(length, dtype=torch.long)[:, None]
        memory = torch.arange(length, dtype=torch.long)[None, :]
        values = self.relative(relative_bucket(memory - context, 8, 16))
        return values.permute([2, 0, 1]).unsqueeze(0).expand((batch, -1, length, length)).contiguous()

    def forward(self, ids, mask):
        x = self.embeddings(ids)
        hidden = additive_mask(mask, x.dtype)
        bias = self.bias(x)
        for layer in self.layer:
            x = layer(x, hidden, bias)
        return x


PROMPT = Prompt('input_ids', 'embeddings.word', WIDTH)
NARROW = Prompt('input_ids', 'embeddings.word', 16)
SCATTERED = [[0, 4, 9], [2, 3, 7]]


def classifier(name, build, prompt, seed, classes=2, types=False, pad_id=0, opset=14):
    """Three references: a padded batch of 3, a single row of another length, a prompt at several positions."""
    names = ['input_ids', 'attention_mask'] + (['token_type_ids'] if types else [])
    rows = [
        text(seed, 3, 12, 'right', pad_id, types=types),
        text(seed + 1, 1, 7, types=types),
        text(seed + 2, 2, 10, 'right', pad_id, positions=SCATTERED, types=types),
    ]
    return Case(
        name,
        build,
        lambda seed: text(seed + 9, 2, 9, types=types),
        [with_classes(row, seed + index, classes) for index, row in enumerate(rows)],
        {**text_axes(*names), 'logits': CLASSES},
        prompts=[prompt],
        opset=opset,
        seed=seed,
    )


def features(name, build, prompt, seed, width, pad_id, opset=14):
    rows = [text(seed, 3, 12, 'right', pad_id), text(seed + 1, 1, 7)]
    return Case(
        name,
        build,
        lambda seed: text(seed + 9, 2, 9),
        [with_upstream(row, seed, *row['input_ids'].shape, width) for row in rows],
        {**text_axes('input_ids', 'attention_mask'), 'last_hidden_state': TEXT},
        outputs=['last_hidden_state'],
        output='last_hidden_state',
        prompts=[prompt],
        opset=opset,
        seed=seed,
    )


CASES = [
    *[classifier(f'bert-{opset}', Bert, PROMPT, 11, types=True, opset=opset) for opset in (11, 14, 17)],
    classifier('roberta', Roberta, PROMPT, 12, classes=3, pad_id=1),
    classifier('distilbert', Distilbert, PROMPT, 13),
    classifier('electra', Electra, NARROW, 14, types=True),
    classifier('albert', Albert, NARROW, 15, types=True),
    features('mpnet', Mpnet, PROMPT, 16, WIDTH, 1),
]
