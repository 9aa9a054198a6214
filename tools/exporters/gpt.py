"""Decoders with learned positions: GPT-2 and OPT."""
import torch
from torch import nn
from torch.nn import functional

from case import Case, Prompt
from inputs import TEXT, VOCABULARY, text, text_axes, with_next_tokens
from layers import LOWEST, FlatAttention, causal_mask, expanded_mask, gelu_tanh

WIDTH, HEADS, INNER, LAYERS, POSITIONS = 32, 4, 32, 2, 32


class TransposedLinear(nn.Module):
    """GPT-2's Conv1D: a matrix [in, out], addmm on flattened rows."""

    def __init__(self, inner, outer):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(inner, outer))
        self.bias = nn.Parameter(torch.zeros(outer))

    def forward(self, x):
        shape = x.size()[:-1] + (self.weight.size(1),)
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(shape)


class GptAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn, self.c_proj = TransposedLinear(WIDTH, 3 * WIDTH), TransposedLinear(WIDTH, WIDTH)
        causal = torch.tril(torch.ones((POSITIONS, POSITIONS), dtype=torch.bool))
        self.register_buffer('causal', causal.view(1, 1, POSITIONS, POSITIONS))

    def split(self, x):
        return x.view(x.size()[:-1] + (HEADS, WIDTH // HEADS)).permute(0, 2, 1, 3)

    def forward(self, x, mask, past=()):
        queries, keys, values = self.c_attn(x).split(WIDTH, dim=2)
        queries, keys, values = self.split(queries), self.split(keys), self.split(values)
        if past:
            keys, values = torch.cat((past[0], keys), dim=-2), torch.cat((past[1], values), dim=-2)
        scores = torch.matmul(queries, keys.transpose(-1, -2))
        scores = scores / torch.full([], values.size(-1) ** 0.5, dtype=scores.dtype)
        length, total = queries.size(-2), keys.size(-2)
        causal = self.causal[:, :, total - length : total, :total]
        scores = torch.where(causal, scores, torch.full([], LOWEST, dtype=scores.dtype))
        weights = functional.softmax(scores + mask, dim=-1)
        context = torch.matmul(weights, values).permute(0, 2, 1, 3).contiguous()
        return self.c_proj(context.view(context.size()[:-2] + (WIDTH,))), keys, values


class GptLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = GptAttention()
        self.c_fc, self.c_proj = TransposedLinear(WIDTH, INNER), TransposedLinear(INNER, WIDTH)

    def forward(self, x, mask, past=()):
        attended, keys, values = self.attention(self.norm_1(x), mask, past)
        x = attended + x
        return x + self.c_proj(gelu_tanh(self.c_fc(self.norm_2(x)))), keys, values


class Gpt2(nn.Module):
    """GPT2LMHeadModel; the output layer is the embedding table."""

    def __init__(self, layers=LAYERS):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.layer = nn.ModuleList(GptLayer() for _ in range(layers))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, ids, mask, *past):
        shape = ids.size()
        ids = ids.view(-1, shape[-1])
        start = past[0].size(-2) if past else 0
        positions = torch.arange(start, shape[-1] + start, dtype=torch.long).unsqueeze(0).view(-1, shape[-1])
        mask = mask.view(shape[0], -1)[:, None, None, :].to(self.wte.weight.dtype)
        mask = (1.0 - mask) * LOWEST
        x = self.wte(ids) + self.wpe(positions)
        present = []
        for index, layer in enumerate(self.layer):
            x, keys, values = layer(x, mask, past[2 * index : 2 * index + 2])
            present += [keys, values]
        x = self.norm(x).view(shape + (x.size(-1),))
        return (functional.linear(x, self.wte.weight), *present)


class OptLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = FlatAttention(WIDTH, HEADS, clamp=True)
        self.attention_norm, self.norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)

    def forward(self, x, mask):
        x = x + self.attention(self.attention_norm(x), mask)
        residual, shape = x, x.shape
        x = self.norm(x.reshape(-1, x.size(-1)))
        x = self.fc2(functional.relu(self.fc1(x)))
        return (residual.reshape(-1, shape[-1]) + x).view(shape)


class Opt(nn.Module):
    """Positions counted from the mask, with an offset of 2; embeddings of another width, projected in and out."""

    def __init__(self, narrow=16):
        super().__init__()
        self.embed_tokens, self.embed_positions = nn.Embedding(VOCABULARY, narrow), nn.Embedding(POSITIONS + 2, WIDTH)
        self.project_in = nn.Linear(narrow, WIDTH, bias=False)
        self.project_out = nn.Linear(WIDTH, narrow, bias=False)
        self.layer = nn.ModuleList(OptLayer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, ids, mask):
        ids = ids.view(-1, ids.shape[-1])
        x = self.embed_tokens(ids)
        positions = (torch.cumsum(mask, dim=1).type_as(mask) * mask).long() - 1
        length = ids.shape[1]
        causal = causal_mask(length, x.dtype).expand(mask.size(0), 1, length, length)
        bias = expanded_mask(mask, length, length, x.dtype) + causal
        x = self.project_in(x) + self.embed_positions(positions + 2)
        for layer in self.layer:
            x = layer(x, bias)
        x = self.project_out(self.norm(x))
        return functional.linear(x, self.embed_tokens.weight)


PRESENT = [f'present.{layer}.{part}' for layer in range(LAYERS) for part in ('key', 'value')]
CACHE = {name: {0: 'batch_size', 2: 'past_sequence_length + sequence_length'} for name in PRESENT}


def decoder(name, build, width, module, seed, present=(), opset=14, **options):
    """References: padded on the right, padded on the left, one row of another length with the prompt apart."""
    rows = [
        text(seed, 3, 11, 'right', 1),
        text(seed + 1, 3, 9, 'left', 1),
        text(seed + 2, 1, 8, positions=[[0, 3, 6]]),
    ]
    return Case(
        name,
        build,
        lambda seed: text(seed + 9, 2, 7),
        [with_next_tokens(row, seed + index) for index, row in enumerate(rows)],
        {**text_axes('input_ids', 'attention_mask'), 'logits': TEXT, **{n: CACHE[n] for n in present}},
        outputs=['logits', *present],
        prompts=[Prompt('input_ids', module, width)],
        opset=opset,
        seed=seed,
        **options,
    )


CASES = [
    decoder('gpt2', Gpt2, WIDTH, 'wte', 21, PRESENT),
    decoder('opt', Opt, 16, 'embed_tokens', 22),
]
