"""BART and mBART: encoder and decoder in a file each. mBART normalises before each part and scales its embeddings."""
import torch
from torch import nn
from torch.nn import functional

from case import Case, Prompt
from inputs import TEXT, VOCABULARY, randn, text, text_axes, with_upstream
from layers import FlatAttention, causal_mask, expanded_mask, scaled_attention
from t5 import DECODER_TEXT, MEMORY, decoder_text

WIDTH, HEADS, INNER, LAYERS, POSITIONS = 24, 4, 32, 2, 32
OFFSET = 2  # positions begin behind an unused row for <s> and one for padding
START, PADDING = 2, 1  # decoders begin with </s>


class Attention(FlatAttention):
    """To itself or to a memory; with its cache. Gives its keys and values too."""

    def queries(self, x):
        return self.q_proj(x) * self.size**-0.5

    def forward(self, x, mask=None, memory=None, past=()):
        shape = x.size()
        batch = shape[0]
        queries = self.queries(x)
        if past and memory is not None:
            keys, values = past
        else:
            source = x if memory is None else memory
            keys, values = self.shape(self.k_proj(source), batch), self.shape(self.v_proj(source), batch)
            if past:
                keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        return self.attend(shape, queries, keys, values, mask, keys.size(2)), (keys, values)


class ScaledAttention(Attention):
    """The same by scaled_dot_product_attention, as later versions have it."""

    def queries(self, x):
        return self.q_proj(x)

    def attend(self, shape, queries, keys, values, mask, length):
        context = scaled_attention(self.shape(queries, shape[0]), keys, values, mask).transpose(1, 2)
        return self.out_proj(context.reshape(shape))


class Layer(nn.Module):
    def __init__(self, is_mbart, decoder):
        super().__init__()
        self.normalises_before = is_mbart
        attention = ScaledAttention if is_mbart else Attention
        self.attention, self.attention_norm = attention(WIDTH, HEADS), nn.LayerNorm(WIDTH)
        self.cross = attention(WIDTH, HEADS) if decoder else None
        self.cross_norm = nn.LayerNorm(WIDTH) if decoder else None
        self.fc1, self.fc2 = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)

    def around(self, norm, part, x):
        """x + part(x) with its normalisation, and what else the part gives."""
        y, states = part(norm(x) if self.normalises_before else x)
        return (x + y if self.normalises_before else norm(x + y)), states

    def forward(self, x, mask, memory=None, memory_mask=None, past=()):
        x, present = self.around(self.attention_norm, lambda y: self.attention(y, mask, past=past[:2]), x)
        if self.cross is not None:
            x, states = self.around(self.cross_norm, lambda y: self.cross(y, memory_mask, memory, past[2:]), x)
            present = present if past else present + states
        x, _ = self.around(self.norm, lambda y: (self.fc2(functional.gelu(self.fc1(y))), ()), x)
        return x, present


class Stack(nn.Module):
    def __init__(self, decoder, is_mbart=False, layers=LAYERS):
        super().__init__()
        self.scale = WIDTH**0.5 if is_mbart else 1.0
        self.embed_tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.embed_positions = nn.Embedding(POSITIONS + OFFSET, WIDTH)
        self.embedding_norm = nn.LayerNorm(WIDTH)
        self.layer = nn.ModuleList(Layer(is_mbart, decoder) for _ in range(layers))
        self.norm = nn.LayerNorm(WIDTH) if is_mbart else None

    def embed(self, ids, past=0):
        x = self.embed_tokens(ids) * self.scale
        batch, length = ids.shape[:2]
        positions = torch.arange(past, past + length, dtype=torch.long).expand(batch, -1)
        return self.embedding_norm(x + self.embed_positions(positions + OFFSET))

    def forward(self, x, mask, memory=None, memory_mask=None, past=()):
        present = []
        for index, layer in enumerate(self.layer):
            x, states = layer(x, mask, memory, memory_mask, past[4 * index : 4 * index + 4])
            present += states
        return (x if self.norm is None else self.norm(x)), present


class Encoder(nn.Module):
    """encoder_model.onnx"""

    def __init__(self, is_mbart=False):
        super().__init__()
        self.encoder = Stack(False, is_mbart)

    def forward(self, ids, mask):
        ids = ids.view(-1, ids.shape[-1])
        x = self.encoder.embed(ids)
        length = mask.size(1)
        return self.encoder(x, expanded_mask(mask, length, length, x.dtype))[0]


class Decoder(nn.Module):
    """decoder_model.onnx; the output layer is the embedding table, with a bias of its own."""

    def __init__(self, is_mbart=False, layers=LAYERS):
        super().__init__()
        self.decoder = Stack(True, is_mbart, layers)
        self.final_logits_bias = nn.Parameter(torch.zeros(1, VOCABULARY))

    def forward(self, memory_mask, ids, memory, *past):
        ids = ids.view(-1, ids.shape[-1])
        batch, length = ids.shape
        x = self.decoder.embed(ids, past[0].shape[2] if past else 0)
        # With a cache there is one token, which sees all.
        mask = None if past else causal_mask(length, x.dtype).expand(batch, 1, length, length)
        hidden = expanded_mask(memory_mask, length, memory_mask.size(1), x.dtype)
        x, present = self.decoder(x, mask, memory, hidden, past)
        logits = functional.linear(x, self.decoder.embed_tokens.weight) + self.final_logits_bias
        return (logits, *present)


PRESENT = [
    f'present.{layer}.{source}.{part}'
    for layer in range(LAYERS)
    for source in ('decoder', 'encoder')
    for part in ('key', 'value')
]


def cache_axes(names):
    rows = {'decoder': DECODER_TEXT[1], 'encoder': MEMORY[1]}
    return {name: {0: 'batch_size', 2: rows[name.split('.')[2]]} for name in names}


def decoder_inputs(seed, batch, length, source):
    ids, labels = decoder_text(seed, batch, length)
    ids[:, 0] = START
    return {
        'encoder_attention_mask': text(seed, batch, source, 'right', PADDING)['attention_mask'],
        'input_ids': ids,
        'encoder_hidden_states': randn(seed, batch, source, WIDTH),
        'labels': labels,
    }


def encoder_case(name, is_mbart, seed, opset):
    rows = [text(seed, 3, 11, 'right', PADDING, positions=[[1, 2, 3], [1, 5, 8], [4, 6, 7]]), text(seed + 1, 1, 8)]
    return Case(
        name,
        lambda: Encoder(is_mbart),
        lambda seed: text(seed + 9, 2, 7),
        [with_upstream(row, seed + index, *row['input_ids'].shape, WIDTH) for index, row in enumerate(rows)],
        {**text_axes('input_ids', 'attention_mask'), 'last_hidden_state': TEXT},
        outputs=['last_hidden_state'],
        output='last_hidden_state',
        prompts=[Prompt('input_ids', 'encoder.embed_tokens', WIDTH)],
        opset=opset,
        seed=seed,
    )


def decoder_case(name, is_mbart, seed, opset):
    return Case(
        name,
        lambda: Decoder(is_mbart),
        lambda seed: decoder_inputs(seed + 9, 2, 5, 7),
        [decoder_inputs(seed, 3, 6, 11), decoder_inputs(seed + 1, 1, 3, 8)],
        {
            'encoder_attention_mask': MEMORY,
            'input_ids': DECODER_TEXT,
            'encoder_hidden_states': MEMORY,
            'logits': DECODER_TEXT,
            **cache_axes(PRESENT),
        },
        outputs=['logits', *PRESENT],
        gradient_of='encoder_hidden_states',
        opset=opset,
        seed=seed,
    )


DECODER_CASE = decoder_case('bart-decoder', False, 46, 14)
CASES = [
    encoder_case('bart-encoder', False, 45, 14),
    DECODER_CASE,
    encoder_case('mbart-encoder', True, 51, 17),
    decoder_case('mbart-decoder', True, 52, 17),
]
