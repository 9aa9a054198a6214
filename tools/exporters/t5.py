"""T5: encoder, decoder with cross-attention, and both in one file; Flan-T5 with its gated GELU."""
import torch
from torch import nn
from torch.nn import functional

from bert import relative_bucket
from case import Case, Prompt
from inputs import TEXT, VOCABULARY, randint, randn, text, text_axes, with_upstream
from layers import LOWEST, RmsNorm, additive_mask, as_float, gelu_tanh

WIDTH, HEADS, INNER, LAYERS, BUCKETS = 24, 4, 32, 2, 8


class Attention(nn.Module):
    """Unscaled; its first layer holds the position bias, and cross-attention has none."""

    def __init__(self, has_bias=False, both=True):
        super().__init__()
        self.both = both
        self.q, self.k = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.v, self.o = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.relative = nn.Embedding(BUCKETS, HEADS) if has_bias else None

    def bias(self, queries, keys):
        context = torch.arange(queries, dtype=torch.long)[:, None]
        memory = torch.arange(keys, dtype=torch.long)[None, :]
        values = self.relative(relative_bucket(memory - context, BUCKETS, 16, self.both))
        return values.permute([2, 0, 1]).unsqueeze(0)

    def split(self, x, batch):
        return x.view(batch, -1, HEADS, WIDTH // HEADS).transpose(1, 2)

    def cached(self, x, memory, past, batch):
        """Keys and values: those of the memory are all in its cache, those of x come behind theirs."""
        if past and memory is not None:
            return past
        source = x if memory is None else memory
        keys, values = self.split(self.k(source), batch), self.split(self.v(source), batch)
        return (torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)) if past else (keys, values)

    def forward(self, x, mask, bias=None, memory=None, past=()):
        batch, length = x.shape[:2]
        queries = self.split(0.35 * self.q(x), batch)
        keys, values = self.cached(x, memory, past, batch)
        scores = torch.matmul(queries, keys.transpose(3, 2))
        if bias is None:
            if self.relative is None:
                bias = torch.zeros((1, HEADS, length, keys.shape[2]), dtype=scores.dtype)
            elif past:
                bias = self.bias(keys.shape[2], keys.shape[2])[:, :, -length:, :]
            else:
                bias = self.bias(length, keys.shape[2])
            bias = bias + mask
        scores = scores + bias
        weights = functional.softmax(as_float(scores), dim=-1).type_as(scores)
        context = torch.matmul(weights, values).transpose(1, 2).contiguous().view(batch, -1, WIDTH)
        return self.o(context), bias, (keys, values)


class Feed(nn.Module):
    def __init__(self, gated):
        super().__init__()
        self.norm = RmsNorm(WIDTH)
        self.wi = nn.Linear(WIDTH, INNER, bias=False)
        self.gate = nn.Linear(WIDTH, INNER, bias=False) if gated else None
        self.wo = nn.Linear(INNER, WIDTH, bias=False)

    def forward(self, x):
        y = self.norm(x)
        y = functional.relu(self.wi(y)) if self.gate is None else gelu_tanh(self.gate(y)) * self.wi(y)
        return x + self.wo(y)


class Layer(nn.Module):
    def __init__(self, first, gated, decoder):
        super().__init__()
        self.norm, self.attention = RmsNorm(WIDTH), Attention(first, not decoder)
        self.cross_norm = RmsNorm(WIDTH) if decoder else None
        self.cross = Attention() if decoder else None
        self.feed = Feed(gated)

    def forward(self, x, mask, bias, memory=None, memory_mask=None, memory_bias=None, past=()):
        attended, bias, present = self.attention(self.norm(x), mask, bias, past=past[:2])
        x = x + attended
        if self.cross is not None:
            attended, memory_bias, states = self.cross(self.cross_norm(x), memory_mask, memory_bias, memory, past[2:])
            x, present = x + attended, present if past else present + states
        return self.feed(x), bias, memory_bias, present


class Stack(nn.Module):
    def __init__(self, gated, decoder, layers=LAYERS):
        super().__init__()
        self.layer = nn.ModuleList(Layer(index == 0, gated, decoder) for index in range(layers))
        self.norm = RmsNorm(WIDTH)

    def forward(self, x, mask, memory=None, memory_mask=None, past=()):
        bias = memory_bias = None
        present = []
        for index, layer in enumerate(self.layer):
            own = past[4 * index : 4 * index + 4]
            x, bias, memory_bias, states = layer(x, mask, bias, memory, memory_mask, memory_bias, own)
            present += states
        return self.norm(x), present


class Encoder(nn.Module):
    """encoder_model.onnx"""

    def __init__(self, gated=False):
        super().__init__()
        self.shared = nn.Embedding(VOCABULARY, WIDTH)
        self.encoder = Stack(gated, decoder=False)

    def forward(self, ids, mask):
        x = self.shared(ids.view(-1, ids.size()[-1]))
        return self.encoder(x, additive_mask(mask, x.dtype))[0]


class Decoder(nn.Module):
    """decoder_model.onnx; T5 ties the output layer and scales it, Flan-T5 has one of its own."""

    def __init__(self, gated=False, layers=LAYERS, keeps_cache=False):
        super().__init__()
        self.keeps_cache = keeps_cache
        self.shared = nn.Embedding(VOCABULARY, WIDTH)
        self.decoder = Stack(gated, True, layers)
        self.lm_head = nn.Linear(WIDTH, VOCABULARY, bias=False) if gated else None

    def mask(self, batch, length, past, dtype):
        places = torch.arange(past + length)
        causal = places[None, None, :].repeat(batch, past + length, 1) <= places[None, :, None]
        mask = (1.0 - causal[:, None, :, :].to(dtype)) * LOWEST
        return mask[:, :, -length:, :] if past else mask

    def forward(self, memory_mask, ids, memory, *past):
        ids = ids.view(-1, ids.size()[-1])
        x = self.shared(ids)
        batch, length = ids.size()
        mask = self.mask(batch, length, past[0].shape[2] if past else 0, x.dtype)
        x, present = self.decoder(x, mask, memory, additive_mask(memory_mask, x.dtype), past)
        if self.lm_head is None:
            logits = functional.linear(x * WIDTH**-0.5, self.shared.weight)
        else:
            logits = self.lm_head(x)
        return (logits, *present) if self.keeps_cache else logits


class Both(nn.Module):
    """Encoder and decoder in one file; the embedding table is shared."""

    def __init__(self, gated):
        super().__init__()
        self.encode, self.decode = Encoder(gated), Decoder(gated)
        self.decode.shared.weight = self.encode.shared.weight

    def forward(self, ids, mask, decoder_ids):
        memory = self.encode(ids, mask)
        return self.decode(mask, decoder_ids, memory), memory


DECODER_TEXT = {0: 'batch_size', 1: 'decoder_sequence_length'}
MEMORY = {0: 'batch_size', 1: 'encoder_sequence_length'}


def decoder_text(seed, batch, length):
    """Decoder ids that begin with the padding token, and labels whose ends are ignored."""
    ids = randint(seed, 2, VOCABULARY, batch, length)
    labels = torch.cat([ids[:, 1:], torch.ones(batch, 1, dtype=torch.long)], 1)
    for row in range(batch):
        labels[row, length - row :] = -100
    return torch.cat([torch.zeros(batch, 1, dtype=torch.long), ids[:, 1:]], 1), labels


def decoder_case(seed, batch, length, source):
    ids, labels = decoder_text(seed, batch, length)
    mask = text(seed, batch, source, 'right')['attention_mask']
    return {
        'encoder_attention_mask': mask,
        'input_ids': ids,
        'encoder_hidden_states': randn(seed, batch, source, WIDTH),
        'labels': labels,
    }


def both_case(seed, batch, length, source):
    ids, labels = decoder_text(seed, batch, length)
    return {**text(seed, batch, source, 'right'), 'decoder_input_ids': ids, 'labels': labels}


def both(name, gated, seed, opset):
    return Case(
        name,
        lambda: Both(gated),
        lambda seed: both_case(seed + 9, 2, 5, 7),
        [both_case(seed, 3, 6, 11), both_case(seed + 1, 1, 3, 8)],
        {
            **text_axes('input_ids', 'attention_mask'),
            'decoder_input_ids': DECODER_TEXT,
            'logits': DECODER_TEXT,
            'encoder_last_hidden_state': MEMORY,
        },
        outputs=['logits', 'encoder_last_hidden_state'],
        prompts=[Prompt('input_ids', 'encode.shared', WIDTH)],
        opset=opset,
        seed=seed,
    )


DECODER_CASE = Case(
    't5-decoder',
    Decoder,
    lambda seed: decoder_case(seed + 9, 2, 5, 7),
    [decoder_case(41, 3, 6, 11), decoder_case(42, 1, 3, 8)],
    {
        'encoder_attention_mask': MEMORY,
        'input_ids': DECODER_TEXT,
        'encoder_hidden_states': MEMORY,
        'logits': DECODER_TEXT,
    },
    gradient_of='encoder_hidden_states',
    seed=41,
)
CASES = [
    Case(
        't5-encoder',
        Encoder,
        lambda seed: text(seed + 9, 2, 7),
        [with_upstream(text(40, 3, 11, 'right'), 40, 3, 11, WIDTH), with_upstream(text(41, 1, 8), 41, 1, 8, WIDTH)],
        {**text_axes('input_ids', 'attention_mask'), 'last_hidden_state': TEXT},
        outputs=['last_hidden_state'],
        output='last_hidden_state',
        prompts=[Prompt('input_ids', 'shared', WIDTH)],
        seed=40,
    ),
    DECODER_CASE,
    both('t5', False, 42, 14),
    both('flan-t5', True, 43, 17),
]
