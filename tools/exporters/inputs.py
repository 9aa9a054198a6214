"""Inputs of cases: seeded ids, masks, pixels and labels, and the dynamic axes that Optimum declares."""
import torch

TEXT = {0: 'batch_size', 1: 'sequence_length'}
IMAGE = {0: 'batch_size', 1: 'num_channels', 2: 'height', 3: 'width'}
CLASSES = {0: 'batch_size'}

VOCABULARY = 64
FIRST_TOKEN = 5  # ids below it are special: 0 … 4
PROMPT = 3


def randint(seed, low, high, *shape):
    return torch.randint(low, high, shape, generator=torch.Generator().manual_seed(seed))


def randn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def text_axes(*names):
    return {name: TEXT for name in names}


def text(seed, batch, length, padding=None, pad_id=0, prompt=PROMPT, positions=None, types=False):
    """Ids with placeholders (id 0) for the prompt, and the attention mask.

    padding: 'right' or 'left': row b lacks b tokens. A prompt stands at the start of the unpadded part, or at
    `positions`, a list of P rows for every b.
    """
    ids = randint(seed, FIRST_TOKEN, VOCABULARY, batch, length)
    mask = torch.ones(batch, length, dtype=torch.long)
    places = torch.arange(prompt).repeat(batch, 1)
    for row in range(batch):
        lacking = row if padding else 0
        padded = slice(length - lacking, length) if padding == 'right' else slice(0, lacking)
        ids[row, padded] = pad_id
        mask[row, padded] = 0
        if padding == 'left':
            places[row] += lacking
    if positions is not None:
        places = torch.tensor(positions)
    ids.scatter_(1, places, 0)
    tensors = {'input_ids': ids, 'attention_mask': mask, 'prompt_positions': places}
    if types:
        tensors['token_type_ids'] = (torch.arange(length) >= length // 2).long().repeat(batch, 1)
    return tensors


def with_classes(tensors, seed, classes, batch=None):
    batch = batch or next(iter(tensors.values())).shape[0]
    return {**tensors, 'labels': randint(seed + 77, 0, classes, batch)}


def with_next_tokens(tensors, seed, vocabulary=VOCABULARY):
    """A label at every position of content; -100 at padding and at the prompt."""
    labels = randint(seed + 77, 0, vocabulary, *tensors['input_ids'].shape)
    labels[tensors['attention_mask'] == 0] = -100
    return {**tensors, 'labels': labels.scatter(1, tensors['prompt_positions'], -100)}


def with_upstream(tensors, seed, *shape):
    return {**tensors, 'upstream': randn(seed + 78, *shape) / 32}


def positions_of(mask):
    """position_ids as generation code computes them from a mask that may be padded on the left."""
    return (mask.cumsum(-1) - 1).clamp(min=0)


def image(seed, batch, size=24):
    return {'pixel_values': randn(seed + 5, batch, 3, size, size)}
