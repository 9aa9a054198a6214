"""DeBERTa-v3 and -v2: attention disentangled into content and relative position; -v2 has a convolution too."""
import math

import torch
from torch import nn
from torch.nn import functional

from bert import classifier
from case import Prompt
from inputs import VOCABULARY
from layers import LOWEST, Mlp

WIDTH, HEADS, INNER, LAYERS, SPAN, FARTHEST = 24, 4, 32, 2, 4, 16
SIZE = WIDTH // HEADS


def log_bucket(distance, buckets, maximum):
    sign, middle = torch.sign(distance), buckets // 2
    near = (distance < middle) & (distance > -middle)
    size = torch.where(near, torch.tensor(middle - 1).type_as(distance), torch.abs(distance))
    far = torch.ceil(torch.log(size / middle) / math.log((maximum - 1) / middle) * (middle - 1)) + middle
    return torch.where(size <= middle, distance.type_as(far), far * sign)


def relative_positions(queries, keys):
    rows = torch.arange(queries)[:, None] - torch.arange(keys)[None, :]
    return log_bucket(rows, SPAN, FARTHEST).to(torch.long)[:queries, :].unsqueeze(0)


def masked_softmax(scores, mask):
    """Hidden places get the lowest score and then weight 0, also where all of a row is hidden."""
    hidden = (1 - mask).to(torch.bool)
    weights = functional.softmax(scores.masked_fill(hidden, LOWEST), -1)
    return weights.masked_fill(hidden, 0)


class Attention(nn.Module):
    def __init__(self, shared):
        super().__init__()
        self.query_proj, self.key_proj = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.value_proj = nn.Linear(WIDTH, WIDTH)
        self.pos_query_proj = None if shared else nn.Linear(WIDTH, WIDTH)
        self.pos_key_proj = None if shared else nn.Linear(WIDTH, WIDTH, bias=False)

    def fold(self, x):
        x = x.view(x.size()[:-1] + (HEADS, -1)).permute(0, 2, 1, 3).contiguous()
        return x.view(-1, x.size(1 + 1), x.size(-1))

    def position_scores(self, queries, keys, distance, table):
        """Content to position and position to content: products with every distance, of which one is gathered."""
        distance = distance.unsqueeze(1)
        table = table[0 : 2 * SPAN, :].unsqueeze(0)
        repeats = (queries.size(0) // HEADS, 1, 1)
        position_queries = self.fold((self.pos_query_proj or self.query_proj)(table)).repeat(*repeats)
        position_keys = self.fold((self.pos_key_proj or self.key_proj)(table)).repeat(*repeats)
        scale = torch.sqrt(torch.tensor(position_keys.size(-1), dtype=queries.dtype) * 3)
        content = torch.bmm(queries, position_keys.transpose(-1, -2))
        places = torch.clamp(distance + SPAN, 0, SPAN * 2 - 1).squeeze(0)
        content = torch.gather(
            content, dim=-1, index=places.expand([queries.size(0), queries.size(1), distance.size(-1)])
        )
        position = torch.bmm(keys, position_queries.transpose(-1, -2))
        places = torch.clamp(-distance + SPAN, 0, SPAN * 2 - 1).squeeze(0)
        position = torch.gather(
            position, dim=-1, index=places.expand([queries.size(0), keys.size(-2), keys.size(-2)])
        ).transpose(-1, -2)
        return content / scale + position / scale

    def forward(self, x, mask, distance, table):
        queries, keys = self.fold(self.query_proj(x)), self.fold(self.key_proj(x))
        values = self.fold(self.value_proj(x))
        scale = torch.sqrt(torch.tensor(queries.size(-1), dtype=x.dtype) * 3)
        scores = torch.bmm(queries, keys.transpose(-1, -2) / scale)
        scores = scores + self.position_scores(queries, keys, distance, table)
        scores = scores.view(-1, HEADS, scores.size(-2), scores.size(-1))
        weights = masked_softmax(scores, mask)
        context = torch.bmm(weights.view(-1, weights.size(-2), weights.size(-1)), values)
        context = context.view(-1, HEADS, context.size(-2), context.size(-1)).permute(0, 2, 1, 3).contiguous()
        return context.view(context.size()[:-2] + (-1,))


class Layer(nn.Module):
    def __init__(self, shared):
        super().__init__()
        self.attention, self.dense = Attention(shared), nn.Linear(WIDTH, WIDTH)
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH, eps=1e-7), nn.LayerNorm(WIDTH, eps=1e-7)
        self.mlp = Mlp(WIDTH, INNER)

    def forward(self, x, mask, distance, table):
        x = self.norm_1(self.dense(self.attention(x, mask, distance, table)) + x)
        return self.norm_2(self.mlp(x) + x)


class Convolution(nn.Module):
    """Over the sequence, added to the first layer's output."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(WIDTH, WIDTH, 3, padding=1)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-7)

    def forward(self, x, residual, mask):
        y = self.conv(x.permute(0, 2, 1).contiguous()).permute(0, 2, 1).contiguous()
        hidden = (1 - mask).bool()
        y = torch.tanh(y.masked_fill(hidden.unsqueeze(-1).expand(y.size()), 0))
        return self.norm(residual + y) * mask.unsqueeze(2).to(y.dtype)


class Deberta(nn.Module):
    def __init__(self, shared=True, has_types=False, has_convolution=False):
        super().__init__()
        self.word = nn.Embedding(VOCABULARY, WIDTH)
        self.segment = nn.Embedding(2, WIDTH) if has_types else None
        self.embedding_norm = nn.LayerNorm(WIDTH, eps=1e-7)
        self.layer = nn.ModuleList(Layer(shared) for _ in range(LAYERS))
        self.relative, self.relative_norm = nn.Embedding(2 * SPAN, WIDTH), nn.LayerNorm(WIDTH, eps=1e-7)
        self.convolution = Convolution() if has_convolution else None
        self.dense, self.classifier = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 3)

    def forward(self, ids, mask, types=None):
        x = self.word(ids)
        if types is not None:
            x = x + self.segment(types)
        x = self.embedding_norm(x) * mask.unsqueeze(2).to(x.dtype)
        extended = mask.unsqueeze(1).unsqueeze(2)
        square = extended * extended.squeeze(-2).unsqueeze(-1)
        distance = relative_positions(x.size(-2), x.size(-2))
        table = self.relative_norm(self.relative.weight)
        for index, layer in enumerate(self.layer):
            y = layer(x, square, distance, table)
            x = self.convolution(x, y, mask) if index == 0 and self.convolution else y
        return self.classifier(functional.gelu(self.dense(x[:, 0])))


PROMPT = Prompt('input_ids', 'word', WIDTH)

CASES = [
    classifier('deberta-v3', Deberta, PROMPT, 71, classes=3),
    classifier('deberta-v2', lambda: Deberta(False, True, True), PROMPT, 72, classes=3, types=True, opset=17),
]
