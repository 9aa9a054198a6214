"""ModernBERT: rotary positions, GeGLU, global and local attention in turn, no biases."""
import torch
from torch import nn
from torch.nn import functional

from bert import classifier
from case import Prompt
from inputs import VOCABULARY
from layers import LOWEST, PlainNorm
from llama import Rotary, rotate

WIDTH, HEADS, INNER, LAYERS, WINDOW = 24, 4, 24, 3, 6


class Attention(nn.Module):
    def __init__(self, is_global):
        super().__init__()
        self.is_global = is_global
        self.Wqkv, self.Wo = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.rotary = Rotary(WIDTH // HEADS, 160000.0 if is_global else 10000.0)

    def forward(self, x, mask, local_mask, positions):
        batch = x.shape[0]
        packed = self.Wqkv(x).view(batch, -1, 3, HEADS, WIDTH // HEADS)
        cos, sin = self.rotary(packed, positions)
        queries, keys, values = packed.transpose(3, 1).unbind(dim=2)
        queries, keys = rotate(queries, cos, sin), rotate(keys, cos, sin)
        scores = torch.matmul(queries, keys.transpose(2, 3)) * (WIDTH // HEADS) ** -0.5
        scores = scores + (mask if self.is_global else local_mask)
        context = torch.matmul(functional.softmax(scores, dim=-1), values).transpose(1, 2).contiguous()
        return self.Wo(context.view(batch, -1, WIDTH))


class Layer(nn.Module):
    def __init__(self, index):
        super().__init__()
        self.attention_norm = nn.Identity() if index == 0 else PlainNorm(WIDTH)
        self.norm = PlainNorm(WIDTH)
        self.attention = Attention(index % 3 == 0)
        self.Wi, self.Wo = nn.Linear(WIDTH, 2 * INNER, bias=False), nn.Linear(INNER, WIDTH, bias=False)

    def forward(self, x, mask, local_mask, positions):
        x = x + self.attention(self.attention_norm(x), mask, local_mask, positions)
        value, gate = self.Wi(self.norm(x)).chunk(2, dim=-1)
        return x + self.Wo(functional.gelu(value) * gate)


class ModernBert(nn.Module):
    """ModernBertForSequenceClassification, pooled by the mean."""

    def __init__(self):
        super().__init__()
        self.tok_embeddings, self.embedding_norm = nn.Embedding(VOCABULARY, WIDTH), PlainNorm(WIDTH)
        self.layer = nn.ModuleList(Layer(index) for index in range(LAYERS))
        self.norm = PlainNorm(WIDTH)
        self.dense, self.head_norm = nn.Linear(WIDTH, WIDTH, bias=False), PlainNorm(WIDTH)
        self.classifier = nn.Linear(WIDTH, 3)

    def forward(self, ids, mask):
        x = self.embedding_norm(self.tok_embeddings(ids))
        length = ids.shape[1]
        hidden = 1.0 - mask[:, None, None, :].expand(ids.shape[0], 1, length, length).to(x.dtype)
        hidden = hidden.masked_fill(hidden.to(torch.bool), LOWEST)
        rows = torch.arange(length).unsqueeze(0)
        near = (torch.abs(rows - rows.T) <= WINDOW // 2).unsqueeze(0).unsqueeze(0)
        local = hidden.masked_fill(~near, LOWEST)
        for layer in self.layer:
            x = layer(x, hidden, local, rows)
        x = self.norm(x)
        pooled = (x * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return self.classifier(self.head_norm(functional.gelu(self.dense(pooled))))


CASES = [
    classifier('modernbert', ModernBert, Prompt('input_ids', 'tok_embeddings', WIDTH), 73, classes=3, opset=14),
    classifier('modernbert-17', ModernBert, Prompt('input_ids', 'tok_embeddings', WIDTH), 73, classes=3, opset=17),
]
