"""Decoders with rotary positions: Llama (with a cache), Mistral (sliding window), Qwen2 (biases), Qwen3 (head norms)."""
import math

import torch
from torch import nn
from torch.nn import functional

from case import Case, Prompt
from inputs import TEXT, VOCABULARY, positions_of, text, text_axes, with_next_tokens
from layers import LOWEST, RmsNorm, as_float, scaled_attention

WIDTH, HEADS, KEY_HEADS, SIZE, INNER, LAYERS = 32, 4, 2, 8, 32, 2


def rotate_half(x):
    return torch.cat((-x[..., x.shape[-1] // 2 :], x[..., : x.shape[-1] // 2]), dim=-1)


class Rotary(nn.Module):
    """cos and sin [B, T, d_h] of position · frequency."""

    def __init__(self, size, theta=10000.0):
        super().__init__()
        self.register_buffer('frequencies', theta ** (-torch.arange(0, size, 2).float() / size))

    def forward(self, x, positions):
        frequencies = self.frequencies[None, :, None].float().expand(positions.shape[0], -1, 1)
        angles = (frequencies.to(x.dtype) @ positions[:, None, :].to(x.dtype)).transpose(1, 2)
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)


def rotate(x, cos, sin):
    cos, sin = cos.unsqueeze(1), sin.unsqueeze(1)
    return (x * cos) + (rotate_half(x) * sin)


def repeat_heads(x, count):
    """[B, h_kv, T, d_h] -> [B, h_kv · count, T, d_h]"""
    batch, heads, length, size = x.shape
    return x[:, :, None, :, :].expand(batch, heads, count, length, size).reshape(batch, heads * count, length, size)


class GroupedAttention(nn.Module):
    def __init__(self, bias, fused, head_norm):
        super().__init__()
        self.fused = fused
        self.q_proj = nn.Linear(WIDTH, HEADS * SIZE, bias=bias)
        self.k_proj = nn.Linear(WIDTH, KEY_HEADS * SIZE, bias=bias)
        self.v_proj = nn.Linear(WIDTH, KEY_HEADS * SIZE, bias=bias)
        self.o_proj = nn.Linear(HEADS * SIZE, WIDTH, bias=False)
        self.q_norm = RmsNorm(SIZE) if head_norm else nn.Identity()
        self.k_norm = RmsNorm(SIZE) if head_norm else nn.Identity()

    def forward(self, x, mask, cos, sin, past=None):
        batch, length = x.size(0), x.size(1)
        queries = self.q_norm(self.q_proj(x).view(batch, length, -1, SIZE)).transpose(1, 2)
        keys = self.k_norm(self.k_proj(x).view(batch, length, -1, SIZE)).transpose(1, 2)
        values = self.v_proj(x).view(batch, length, -1, SIZE).transpose(1, 2)
        queries, keys = rotate(queries, cos, sin), rotate(keys, cos, sin)
        if past is not None:
            keys, values = torch.cat([past[0], keys], dim=-2), torch.cat([past[1], values], dim=-2)
        present = keys, values
        keys, values = repeat_heads(keys, HEADS // KEY_HEADS), repeat_heads(values, HEADS // KEY_HEADS)
        mask = mask[:, :, :, : keys.shape[-2]]
        if self.fused:
            context = scaled_attention(queries, keys, values, mask)
        else:
            scores = torch.matmul(queries, keys.transpose(2, 3)) / math.sqrt(SIZE) + mask
            weights = as_float(functional.softmax(as_float(scores), dim=-1))
            context = torch.matmul(weights, values)
        return self.o_proj(context.transpose(1, 2).contiguous().reshape(batch, length, -1)), present


class Layer(nn.Module):
    def __init__(self, bias, fused, head_norm):
        super().__init__()
        self.attention = GroupedAttention(bias, fused, head_norm)
        self.input_norm, self.post_norm = RmsNorm(WIDTH), RmsNorm(WIDTH)
        self.gate_proj, self.up_proj = nn.Linear(WIDTH, INNER, bias=False), nn.Linear(WIDTH, INNER, bias=False)
        self.down_proj = nn.Linear(INNER, WIDTH, bias=False)

    def forward(self, x, mask, cos, sin, past=None):
        attended, present = self.attention(self.input_norm(x), mask, cos, sin, past)
        x = x + attended
        y = self.post_norm(x)
        return x + self.down_proj(functional.silu(self.gate_proj(y)) * self.up_proj(y)), present


class Llama(nn.Module):
    def __init__(self, bias=False, fused=False, head_norm=False, window=None, tied=False):
        super().__init__()
        self.window = window
        self.embed_tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.layer = nn.ModuleList(Layer(bias, fused, head_norm) for _ in range(LAYERS))
        self.norm = RmsNorm(WIDTH)
        self.rotary = Rotary(SIZE)
        self.lm_head = None if tied else nn.Linear(WIDTH, VOCABULARY, bias=False)

    def mask(self, x, attention_mask, past_length):
        """Causal mask [B, 1, T, past + T] with the padding filled in, by slice assignment."""
        length, total = x.shape[1], attention_mask.shape[-1]
        columns, rows = torch.arange(total), torch.arange(past_length, past_length + length)
        causal = torch.full((length, total), LOWEST, dtype=x.dtype)
        hidden = columns > rows.reshape(-1, 1)
        if self.window:
            hidden = hidden | (columns <= (rows.reshape(-1, 1) - self.window))
        causal = causal * hidden
        causal = causal[None, None, :, :].expand(x.shape[0], 1, -1, -1).clone()
        padding = causal[:, :, :, :total] + attention_mask[:, None, None, :].to(x.dtype)
        filled = causal[:, :, :, :total].masked_fill(padding == 0, LOWEST)
        causal[:, :, :, :total] = filled
        return causal

    def forward(self, ids, attention_mask, positions, *past):
        x = self.embed_tokens(ids)
        mask = self.mask(x, attention_mask, past[0].shape[2] if past else 0)
        cos, sin = self.rotary(x, positions)
        presents = []
        for index, layer in enumerate(self.layer):
            x, present = layer(x, mask, cos, sin, past[2 * index : 2 * index + 2] or None)
            presents += present
        x = self.norm(x)
        logits = functional.linear(x, self.embed_tokens.weight) if self.lm_head is None else self.lm_head(x)
        return (as_float(logits), *presents) if past else as_float(logits)


PAST = [f'past_key_values.{layer}.{part}' for layer in range(LAYERS) for part in ('key', 'value')]
PRESENT = [name.replace('past_key_values', 'present') for name in PAST]


def with_positions(tensors, cached=None):
    """Adds position_ids and, for models with a cache, `cached` past tokens (none when training)."""
    tensors = {**tensors, 'position_ids': positions_of(tensors['attention_mask'])}
    if cached is None:
        return tensors
    batch = tensors['input_ids'].shape[0]
    past = {name: 0.1 * torch.ones(batch, KEY_HEADS, cached, SIZE) for name in PAST}
    if cached:
        tensors['attention_mask'] = torch.ones(batch, cached + tensors['input_ids'].shape[1], dtype=torch.long)
    return {**tensors, **past}


def decoder(name, build, seed, cache=False, **options):
    rows = [
        text(seed, 3, 11, 'right'),
        text(seed + 1, 3, 9, 'left'),
        text(seed + 2, 1, 8, positions=[[0, 3, 6]]),
    ]
    axes = text_axes('input_ids', 'attention_mask', 'position_ids')
    if cache:
        axes['attention_mask'] = {0: 'batch_size', 1: 'past_sequence_length + sequence_length'}
        axes.update({name: {0: 'batch_size', 2: 'past_sequence_length'} for name in PAST})
    axes['logits'] = TEXT
    if cache:
        axes.update({name: {0: 'batch_size', 2: 'past_sequence_length + sequence_length'} for name in PRESENT})
    return Case(
        name,
        build,
        lambda seed: with_positions(text(seed + 9, 2, 7), 2 if cache else None),
        [
            with_positions(with_next_tokens(row, seed + index), 0 if cache else None)
            for index, row in enumerate(rows)
        ],
        axes,
        outputs=['logits', *(PRESENT if cache else [])],
        prompts=[Prompt('input_ids', 'embed_tokens', WIDTH)],
        seed=seed,
        **options,
    )


CASES = [
    decoder('llama', Llama, 31, cache=True),
    decoder('mistral', lambda: Llama(fused=True, window=4), 32, opset=17),
    decoder('qwen2', lambda: Llama(fused=True, bias=True, tied=True), 33),
    decoder('qwen3-opset21', lambda: Llama(fused=True, head_norm=True), 34, opset=17, raise_to=21),
]
