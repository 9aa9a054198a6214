"""Swin: attention within windows of the image. Prompts have no place in it; the export is there to be refused."""
import torch
from torch import nn
from torch.nn import functional

from case import Case
from inputs import CLASSES, IMAGE, image
from layers import Attention, Mlp

WIDTH, HEADS, INNER, PATCH, WINDOW, GRID = 16, 2, 32, 4, 3, 6


class Layer(nn.Module):
    def __init__(self, shift):
        super().__init__()
        self.shift = shift
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention, self.mlp = Attention(WIDTH, HEADS), Mlp(WIDTH, INNER)
        self.bias = nn.Parameter(torch.zeros(1, HEADS, WINDOW**2, WINDOW**2))

    def forward(self, x):
        batch, _, width = x.shape
        y = self.norm_1(x).view(batch, GRID, GRID, width)
        if self.shift:
            y = torch.roll(y, shifts=(-self.shift, -self.shift), dims=(1, 2))
        count = GRID // WINDOW
        y = y.view(batch, count, WINDOW, count, WINDOW, width).permute(0, 1, 3, 2, 4, 5).contiguous()
        y = self.attention(y.view(-1, WINDOW * WINDOW, width), bias=self.bias)
        y = y.view(-1, count, count, WINDOW, WINDOW, width).permute(0, 1, 3, 2, 4, 5).contiguous()
        y = y.view(-1, GRID, GRID, width)
        if self.shift:
            y = torch.roll(y, shifts=(self.shift, self.shift), dims=(1, 2))
        x = x + y.view(batch, GRID * GRID, width)
        return x + self.mlp(self.norm_2(x))


class Merging(nn.Module):
    """Four neighbours become one token of twice the width."""

    def __init__(self):
        super().__init__()
        self.norm, self.reduction = nn.LayerNorm(4 * WIDTH), nn.Linear(4 * WIDTH, 2 * WIDTH, bias=False)

    def forward(self, x):
        batch, _, width = x.shape
        x = x.view(batch, GRID, GRID, width)
        x = torch.cat([x[:, row::2, column::2, :] for column in (0, 1) for row in (0, 1)], -1)
        return self.reduction(self.norm(x.view(batch, -1, 4 * width)))


class Swin(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, kernel_size=PATCH, stride=PATCH)
        self.norm = nn.LayerNorm(WIDTH)
        self.layer = nn.ModuleList([Layer(0), Layer(1)])
        self.merging = Merging()
        self.classifier = nn.Linear(2 * WIDTH, 5)

    def forward(self, pixels):
        x = self.norm(self.patches(pixels).flatten(2).transpose(1, 2))
        for layer in self.layer:
            x = layer(x)
        x = self.merging(x)
        return self.classifier(functional.adaptive_avg_pool1d(x.transpose(1, 2), 1).flatten(1))


CASES = [
    Case(
        'swin',
        Swin,
        lambda seed: image(seed + 9, 2),
        [],
        {'pixel_values': IMAGE, 'logits': CLASSES},
        seed=81,
    )
]
