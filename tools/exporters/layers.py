"""Building blocks, with the operations in the order in which the published models run them."""
import math

import torch
from torch import nn
from torch.nn import functional

LOWEST = torch.finfo(torch.float32).min


def additive_mask(mask, dtype):
    """[B, T] of 0/1 -> [B, 1, 1, T], 0 where attended."""
    return (1.0 - mask[:, None, None, :].to(dtype)) * LOWEST


def gelu_tanh(x):
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


def as_float(x):
    """The cast to float32 that code for half precision has; the float64 reference stays float64."""
    return x.to(torch.float32) if x.dtype == torch.float32 else x


def causal_mask(length, dtype):
    """[1, 1, T, T], 0 at places up to the row's own."""
    causal = torch.full((length, length), LOWEST, dtype=dtype)
    places = torch.arange(causal.size(-1))
    causal = causal.masked_fill(places < (places + 1).view(causal.size(-1), 1), 0)
    return causal[None, None, :, :]


def expanded_mask(mask, rows, length, dtype):
    """[B, length] of 0/1 -> [B, 1, rows, length], 0 where attended."""
    inverted = 1.0 - mask[:, None, None, :].expand(mask.size(0), 1, rows, length).to(dtype)
    return inverted.masked_fill(inverted.to(torch.bool), LOWEST)


class Attention(nn.Module):
    """BERT's: scores / sqrt(d_h) + mask; an output projection where `out` is set."""

    def __init__(self, width, heads, out=True, query_bias=True, key_bias=True, value_bias=True):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.query = nn.Linear(width, width, bias=query_bias)
        self.key = nn.Linear(width, width, bias=key_bias)
        self.value = nn.Linear(width, width, bias=value_bias)
        self.out = nn.Linear(width, width) if out else None

    def split(self, x):
        return x.view(x.size()[:-1] + (self.heads, self.size)).permute(0, 2, 1, 3)

    def forward(self, x, mask=None, bias=None):
        keys = self.split(self.key(x))
        values = self.split(self.value(x))
        queries = self.split(self.query(x))
        scores = torch.matmul(queries, keys.transpose(-1, -2)) / math.sqrt(self.size)
        if bias is not None:
            scores = scores + bias
        if mask is not None:
            scores = scores + mask
        context = torch.matmul(functional.softmax(scores, dim=-1), values).permute(0, 2, 1, 3).contiguous()
        context = context.view(context.size()[:-2] + (self.heads * self.size,))
        return self.out(context) if self.out else context


class FlatAttention(nn.Module):
    """That of OPT, CLIP and BART: scaled queries, heads folded into the batch, bmm."""

    def __init__(self, width, heads, clamp=False):
        super().__init__()
        self.heads, self.size, self.clamp = heads, width // heads, clamp
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def shape(self, x, batch):
        return x.view(batch, -1, self.heads, self.size).transpose(1, 2).contiguous()

    def forward(self, x, mask=None):
        shape = batch, length, _ = x.size()
        queries = self.q_proj(x) * self.size**-0.5
        keys = self.shape(self.k_proj(x), batch)
        values = self.shape(self.v_proj(x), batch)
        return self.attend(shape, queries, keys, values, mask, length)

    def attend(self, shape, queries, keys, values, mask, length):
        """Queries of the shape [B, T, d] on keys and values [B, h, length, d/h]."""
        batch, rows, width = shape
        folded = (batch * self.heads, -1, self.size)
        queries = self.shape(queries, batch).view(*folded)
        scores = torch.bmm(queries, keys.view(*folded).transpose(1, 2))
        if mask is not None:
            scores = scores.view(batch, self.heads, rows, length) + mask
            if self.clamp:
                scores = torch.max(scores, torch.tensor(LOWEST, dtype=scores.dtype))
            scores = scores.view(batch * self.heads, rows, length)
        context = torch.bmm(functional.softmax(scores, dim=-1), values.view(*folded))
        context = context.view(batch, self.heads, rows, self.size).transpose(1, 2)
        return self.out_proj(context.reshape(batch, rows, width))


def scaled_attention(queries, keys, values, mask=None):
    """What torch 2 exports for scaled_dot_product_attention: the root of the scale on queries and keys."""
    size = torch._shape_as_tensor(queries)[-1:].to(queries.dtype)
    root = (1.0 / size.sqrt()).sqrt()
    scores = torch.matmul(queries * root, keys.transpose(-2, -1) * root)
    if mask is not None:
        scores = scores + mask
    return torch.matmul(functional.softmax(scores, dim=-1), values)




class Mlp(nn.Module):
    def __init__(self, width, inner, activation=functional.gelu):
        super().__init__()
        self.fc1, self.fc2, self.activation = nn.Linear(width, inner), nn.Linear(inner, width), activation

    def forward(self, x):
        return self.fc2(self.activation(self.fc1(x)))


class PlainNorm(nn.Module):
    """Layer normalisation without a bias."""

    def __init__(self, width, epsilon=1e-5):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(width)), epsilon

    def forward(self, x):
        return functional.layer_norm(x, self.weight.shape, self.weight, None, self.epsilon)


class RmsNorm(nn.Module):
    """That of T5 and Llama."""

    def __init__(self, width, epsilon=1e-6):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(width)), epsilon

    def forward(self, x):
        wide = as_float(x)
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.epsilon)
        return self.weight * wide.to(x.dtype)
