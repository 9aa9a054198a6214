"""Dual encoders: CLIP (text, vision, both in one file), SigLIP (text; vision with an attention pooling head; both)."""
import torch
from torch import nn
from torch.nn import functional

from case import Case, Prompt
from inputs import VOCABULARY, image, randint, text, with_upstream
from layers import LOWEST, FlatAttention, Mlp, quick_gelu, scaled_attention

WIDTH, HEADS, INNER, LAYERS, PATCH, TOKENS, POSITIONS, SHARED = 24, 4, 32, 2, 6, 16, 24, 24


def gelu_pytorch_tanh(x):
    return functional.gelu(x, approximate='tanh')


class Layer(nn.Module):
    def __init__(self, attention, activation, epsilon):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH, eps=epsilon), nn.LayerNorm(WIDTH, eps=epsilon)
        self.attention, self.mlp = attention, Mlp(WIDTH, INNER, activation)

    def forward(self, x, mask=None):
        x = x + self.attention(self.norm_1(x), mask)
        return x + self.mlp(self.norm_2(x))


class FusedAttention(FlatAttention):
    def forward(self, x, mask=None):
        batch, length, width = x.shape
        queries, keys, values = (
            y.view(batch, length, self.heads, self.size).transpose(1, 2)
            for y in (self.q_proj(x), self.k_proj(x), self.v_proj(x))
        )
        context = scaled_attention(queries, keys, values, mask).transpose(1, 2).contiguous()
        return self.out_proj(context.reshape(batch, length, width))


def clip_layers():
    return nn.ModuleList(Layer(FlatAttention(WIDTH, HEADS), quick_gelu, 1e-5) for _ in range(LAYERS))


def siglip_layers():
    return nn.ModuleList(Layer(FusedAttention(WIDTH, HEADS), gelu_pytorch_tanh, 1e-6) for _ in range(LAYERS))


class TextEmbeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.register_buffer('position_ids', torch.arange(POSITIONS).expand((1, -1)))

    def forward(self, ids):
        return self.token(ids) + self.position(self.position_ids[:, : ids.shape[-1]])


class ImageEmbeddings(nn.Module):
    """CLIP has a class token and no bias, SigLIP the reverse."""

    def __init__(self, has_class):
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, kernel_size=PATCH, stride=PATCH, bias=not has_class)
        self.token = nn.Parameter(torch.zeros(WIDTH)) if has_class else None
        count = TOKENS + has_class
        self.position = nn.Embedding(count, WIDTH)
        self.register_buffer('position_ids', torch.arange(count).expand((1, -1)))

    def forward(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        if self.token is not None:
            x = torch.cat([self.token.expand(pixels.shape[0], 1, -1), x], dim=1)
        return x + self.position(self.position_ids)


class ClipText(nn.Module):
    """CLIPTextModelWithProjection: pooled at the highest id, the end of text."""

    def __init__(self):
        super().__init__()
        self.embeddings = TextEmbeddings()
        self.layer = clip_layers()
        self.norm = nn.LayerNorm(WIDTH)
        self.projection = nn.Linear(WIDTH, SHARED, bias=False)

    def forward(self, ids, mask=None):
        ids = ids.view(-1, ids.size()[-1])
        x = self.embeddings(ids)
        batch, length = ids.size()
        hidden = torch.full((batch, length, length), LOWEST, dtype=x.dtype).triu(1).unsqueeze(1)
        if mask is not None:
            inverted = 1.0 - mask[:, None, None, :].expand(batch, 1, length, length).to(x.dtype)
            hidden = hidden + inverted.masked_fill(inverted.to(torch.bool), LOWEST)
        for layer in self.layer:
            x = layer(x, hidden)
        x = self.norm(x)
        pooled = x[torch.arange(x.shape[0]), ids.to(torch.int).argmax(dim=-1)]
        return self.projection(pooled), x


class ClipVision(nn.Module):
    """CLIPVisionModelWithProjection."""

    def __init__(self):
        super().__init__()
        self.embeddings = ImageEmbeddings(True)
        self.pre_norm, self.norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.layer = clip_layers()
        self.projection = nn.Linear(WIDTH, SHARED, bias=False)

    def forward(self, pixels):
        x = self.pre_norm(self.embeddings(pixels))
        for layer in self.layer:
            x = layer(x)
        return self.projection(self.norm(x[:, 0, :])), x


class SiglipText(nn.Module):
    """No mask of either kind; pooled at the last token."""

    def __init__(self):
        super().__init__()
        self.embeddings = TextEmbeddings()
        self.layer = siglip_layers()
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        self.head = nn.Linear(WIDTH, WIDTH)

    def forward(self, ids):
        x = self.embeddings(ids.view(-1, ids.size()[-1]))
        for layer in self.layer:
            x = layer(x)
        x = self.norm(x)
        return self.head(x[:, -1, :]), x


class PoolingHead(nn.Module):
    """A learned query attends to all tokens (multi-head attention pooling), then an MLP."""

    def __init__(self):
        super().__init__()
        self.probe = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.norm, self.mlp = nn.LayerNorm(WIDTH, eps=1e-6), Mlp(WIDTH, INNER, gelu_pytorch_tanh)

    def forward(self, x):
        x = self.attention(self.probe.repeat(x.shape[0], 1, 1), x, x)[0]
        return (x + self.mlp(self.norm(x)))[:, 0]


class SiglipVision(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = ImageEmbeddings(False)
        self.layer = siglip_layers()
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        self.head = PoolingHead()

    def forward(self, pixels):
        x = self.embeddings(pixels)
        for layer in self.layer:
            x = layer(x)
        x = self.norm(x)
        return self.head(x), x


class Both(nn.Module):
    """Scaled cosines between all images and all texts; SigLIP adds a bias."""

    def __init__(self, text_tower, vision_tower, has_bias):
        super().__init__()
        self.text, self.vision = text_tower, vision_tower
        self.scale = nn.Parameter(torch.tensor(1.2))
        self.bias = nn.Parameter(torch.tensor(-0.5)) if has_bias else None

    def forward(self, ids, pixels, mask=None):
        images = self.vision(pixels)[0]
        texts = self.text(ids)[0] if mask is None else self.text(ids, mask)[0]
        images = images / images.norm(p=2, dim=-1, keepdim=True)
        texts = texts / texts.norm(p=2, dim=-1, keepdim=True)
        per_text = torch.matmul(texts, images.t()) * self.scale.exp()
        if self.bias is not None:
            per_text = per_text + self.bias
        return per_text.t(), per_text, texts, images


TEXT = {0: 'text_batch_size', 1: 'sequence_length'}
IMAGE = {0: 'image_batch_size', 1: 'num_channels', 2: 'height', 3: 'width'}
EMBEDS = {
    'logits_per_image': {0: 'image_batch_size', 1: 'text_batch_size'},
    'logits_per_text': {0: 'text_batch_size', 1: 'image_batch_size'},
    'text_embeds': {0: 'text_batch_size'},
    'image_embeds': {0: 'image_batch_size'},
}


def captions(seed, batch, length, padding='right', masked=True):
    """Texts whose last token is the end of text, the highest id; padded with 1."""
    tensors = text(seed, batch, length, padding, 1)
    ends = tensors['attention_mask'].sum(1, keepdim=True) - 1
    tensors['input_ids'] = tensors['input_ids'].clamp(max=VOCABULARY - 2).scatter(1, ends, VOCABULARY - 1)
    if not masked:
        del tensors['attention_mask']
    return tensors


def tower(name, build, rows, inputs, outputs, prompt, seed, width, opset):
    return Case(
        name,
        build,
        lambda seed: rows(seed + 9, 2, 7),
        [with_upstream(rows(seed, 3, 11), seed, 3, width), with_upstream(rows(seed + 1, 1, 8), seed, 1, width)],
        {**inputs, **{output: {0: 'batch_size'} for output in outputs}},
        outputs=outputs,
        output=outputs[0],
        prompts=[prompt],
        opset=opset,
        seed=seed,
    )


def both(name, build, rows, inputs, insert_at, seed, opset):
    """Prompts in both towers; as many texts as classes."""

    def example(seed, texts, images, length):
        tensors = {**rows(seed, texts, length), **image(seed, images)}
        tensors['prompt_positions.input_ids'] = tensors.pop('prompt_positions')
        return {**tensors, 'labels': randint(seed + 77, 0, texts, images)}

    return Case(
        name,
        build,
        lambda seed: example(seed + 9, 2, 3, 7),
        [example(seed, 4, 3, 11), example(seed + 1, 2, 1, 8)],
        {**inputs, **EMBEDS},
        outputs=list(EMBEDS),
        output='logits_per_image',
        prompts=[
            Prompt('input_ids', 'text.embeddings.token', WIDTH),
            Prompt('pixel_values', 'vision.embeddings', WIDTH, 2, insert_at),
        ],
        opset=opset,
        seed=seed,
    )


def unmasked(seed, batch, length):
    return captions(seed, batch, length, None, masked=False)


def images(seed, batch, _length):
    return image(seed, batch)


ids = {'input_ids': {0: 'batch_size', 1: 'sequence_length'}}
ids_and_mask = {**ids, 'attention_mask': {0: 'batch_size', 1: 'sequence_length'}}
pixels = {'pixel_values': {0: 'batch_size', 1: 'num_channels', 2: 'height', 3: 'width'}}
words, behind_class = Prompt('input_ids', 'embeddings.token', WIDTH), Prompt('pixel_values', 'embeddings', WIDTH, 2, 1)
in_front = Prompt('pixel_values', 'embeddings', WIDTH, 2, 0)
PROJECTED, IMAGE_PROJECTED = ('text_embeds', 'last_hidden_state'), ('image_embeds', 'last_hidden_state')
POOLED = ('pooler_output', 'last_hidden_state')

CASES = [
    tower('clip-text', ClipText, captions, ids_and_mask, PROJECTED, words, 61, SHARED, 14),
    tower('clip-vision', ClipVision, images, pixels, IMAGE_PROJECTED, behind_class, 62, SHARED, 14),
    both(
        'clip',
        lambda: Both(ClipText(), ClipVision(), False),
        captions,
        {'input_ids': TEXT, 'pixel_values': IMAGE, 'attention_mask': TEXT},
        1,
        63,
        14,
    ),
    tower('siglip-text', SiglipText, unmasked, ids, POOLED, words, 64, WIDTH, 17),
    tower('siglip-vision', SiglipVision, images, pixels, POOLED, in_front, 65, WIDTH, 14),
    both(
        'siglip',
        lambda: Both(SiglipText(), SiglipVision(), True),
        unmasked,
        {'input_ids': TEXT, 'pixel_values': IMAGE},
        0,
        66,
        17,
    ),
]
