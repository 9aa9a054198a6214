"""Vision transformers: ViT, DeiT (distillation token), BEiT (relative position bias, layer scale), DINOv2."""
import torch
from torch import nn
from torch.nn import functional

from case import Case, Prompt
from inputs import CLASSES, IMAGE, image, with_classes, with_upstream
from layers import Attention, Mlp, scaled_attention

WIDTH, HEADS, INNER, LAYERS, PATCH, GRID = 24, 4, 32, 2, 6, 4


class Patches(nn.Module):
    def __init__(self, bias=True):
        super().__init__()
        self.projection = nn.Conv2d(3, WIDTH, kernel_size=PATCH, stride=PATCH, bias=bias)

    def forward(self, pixels):
        return self.projection(pixels).flatten(2).transpose(1, 2)


class Embeddings(nn.Module):
    """Special tokens in front of the patches, then learned positions."""

    def __init__(self, special=1, positions=True):
        super().__init__()
        self.patches = Patches()
        self.special = nn.ParameterList(nn.Parameter(torch.zeros(1, 1, WIDTH)) for _ in range(special))
        self.positions = nn.Parameter(torch.zeros(1, GRID * GRID + special, WIDTH)) if positions else None

    def forward(self, pixels):
        batch = pixels.shape[0]
        x = self.patches(pixels)
        x = torch.cat([*(token.expand(batch, -1, -1) for token in self.special), x], dim=1)
        return x if self.positions is None else x + self.positions


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm_before, self.norm_after = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)
        self.attention, self.mlp = Attention(WIDTH, HEADS), Mlp(WIDTH, INNER)

    def forward(self, x):
        x = self.attention(self.norm_before(x)) + x
        return self.mlp(self.norm_after(x)) + x


class Vit(nn.Module):
    """ViTForImageClassification; with two special tokens DeiTForImageClassificationWithTeacher."""

    def __init__(self, special=1):
        super().__init__()
        self.embeddings = Embeddings(special)
        self.layer = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.classifier = nn.ModuleList(nn.Linear(WIDTH, 5) for _ in range(special))

    def forward(self, pixels):
        x = self.embeddings(pixels)
        for layer in self.layer:
            x = layer(x)
        x = self.norm(x)
        logits = [head(x[:, index, :]) for index, head in enumerate(self.classifier)]
        return logits[0] if len(logits) == 1 else ((logits[0] + logits[1]) / 2, *logits)


class RelativeBias(nn.Module):
    """BEiT's [1, heads, tokens, tokens]: a table by offset in the grid, and three entries for the class token."""

    def __init__(self):
        super().__init__()
        side = 2 * GRID - 1
        self.table = nn.Parameter(torch.zeros(side * side + 3, HEADS))
        rows, columns = torch.meshgrid(torch.arange(GRID), torch.arange(GRID), indexing='ij')
        places = torch.stack([rows.flatten(), columns.flatten()])
        offset = places[:, :, None] - places[:, None, :] + GRID - 1
        index = torch.zeros(GRID * GRID + 1, GRID * GRID + 1, dtype=torch.long)
        index[1:, 1:] = offset[0] * side + offset[1]
        index[0, :], index[:, 0], index[0, 0] = side * side, side * side + 1, side * side + 2
        self.register_buffer('index', index)

    def forward(self):
        count = GRID * GRID + 1
        return self.table[self.index.view(-1)].view(count, count, -1).permute(2, 0, 1).contiguous().unsqueeze(0)


class ScaledLayer(nn.Module):
    """Every branch is multiplied by a vector before it is added."""

    def __init__(self, attention, epsilon):
        super().__init__()
        self.norm_before, self.norm_after = nn.LayerNorm(WIDTH, eps=epsilon), nn.LayerNorm(WIDTH, eps=epsilon)
        self.attention, self.mlp = attention, Mlp(WIDTH, INNER)
        self.scale_norm_1 = nn.Parameter(torch.ones(WIDTH))
        self.scale_norm_2 = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        x = self.scale_norm_1 * self.attention(self.norm_before(x)) + x
        return self.scale_norm_2 * self.mlp(self.norm_after(x)) + x


class BeitAttention(Attention):
    def __init__(self):
        super().__init__(WIDTH, HEADS, key_bias=False)
        self.relative = RelativeBias()

    def forward(self, x, mask=None, bias=None):
        return super().forward(x, bias=self.relative())


class Beit(nn.Module):
    """No absolute positions; the head is on the mean of the patches."""

    def __init__(self):
        super().__init__()
        self.embeddings = Embeddings(positions=False)
        self.layer = nn.ModuleList(ScaledLayer(BeitAttention(), 1e-12) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.classifier = nn.Linear(WIDTH, 5)

    def forward(self, pixels):
        x = self.embeddings(pixels)
        for layer in self.layer:
            x = layer(x)
        return self.classifier(self.norm(x[:, 1:, :].mean(1)))


class FusedAttention(Attention):
    """With the scaled_dot_product_attention of torch 2."""

    def forward(self, x, mask=None, bias=None):
        queries, keys, values = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        context = scaled_attention(queries, keys, values).permute(0, 2, 1, 3).contiguous()
        return self.out(context.view(context.size()[:-2] + (WIDTH,)))


class InterpolatedEmbeddings(nn.Module):
    """DINOv2's: the positions of a 3 × 3 grid are resized to the image's."""

    def __init__(self):
        super().__init__()
        self.patches = Patches()
        self.token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.zeros(1, 3 * 3 + 1, WIDTH))

    def forward(self, pixels):
        batch, _, height, width = pixels.shape
        x = self.patches(pixels)
        x = torch.cat((self.token.expand(batch, -1, -1), x), dim=1)
        grid = self.positions[:, 1:].reshape(1, 3, 3, WIDTH).permute(0, 3, 1, 2)
        size = (height // PATCH, width // PATCH)
        grid = functional.interpolate(grid, size=size, mode='bicubic', align_corners=False)
        grid = grid.permute(0, 2, 3, 1).view(1, -1, WIDTH)
        return x + torch.cat((self.positions[:, :1], grid), dim=1)


class Dinov2(nn.Module):
    """Feature extraction."""

    def __init__(self):
        super().__init__()
        self.embeddings = InterpolatedEmbeddings()
        self.layer = nn.ModuleList(ScaledLayer(FusedAttention(WIDTH, HEADS), 1e-6) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)

    def forward(self, pixels):
        x = self.embeddings(pixels)
        for layer in self.layer:
            x = layer(x)
        x = self.norm(x)
        return x, x[:, 0, :]


def classifier(name, build, seed, insert_at=1, biases=(), outputs=('logits',), opset=14):
    return Case(
        name,
        build,
        lambda seed: image(seed + 9, 2),
        [with_classes(image(seed + index, batch), seed, 5) for index, batch in enumerate((3, 1))],
        {'pixel_values': IMAGE, **{output: CLASSES for output in outputs}},
        outputs=outputs,
        prompts=[Prompt('pixel_values', 'embeddings', WIDTH, 2, insert_at, biases)],
        metadata={'tokens': str(GRID * GRID + 1)} if biases else {},
        opset=opset,
        seed=seed,
    )


CASES = [
    classifier('vit', Vit, 51),
    classifier('deit', lambda: Vit(2), 52, 2, outputs=('logits', 'cls_logits', 'distillation_logits')),
    classifier('beit', Beit, 53, biases=[f'layer.{index}.attention.relative' for index in range(LAYERS)]),
    Case(
        'dinov2',
        Dinov2,
        lambda seed: image(seed + 9, 2),
        [with_upstream(image(54, 3), 54, 3, 19, WIDTH), with_upstream(image(55, 1), 55, 1, 19, WIDTH)],
        {'pixel_values': IMAGE, 'last_hidden_state': CLASSES, 'pooler_output': CLASSES},
        outputs=['last_hidden_state', 'pooler_output'],
        output='last_hidden_state',
        prompts=[Prompt('pixel_values', 'embeddings', WIDTH, 2, 1)],
        metadata={'tokens': '17'},
        opset=17,
        seed=54,
    ),
]
