"""Models in their published sizes, random weights: exported for the engine's benchmark, and run in torch as its peer.

    base_models.py export bert|vit|gpt2 FILE.onnx
    base_models.py serve bert|vit|gpt2 --batch B --sequence S --prompt P [--threads N]

`serve` does one forward and backward for every line `step` (`forward` for a forward alone) on standard input and answers its
milliseconds; `memory` answers the peak in megabytes.
"""
import argparse
import resource
import sys
import time

import torch
from torch.nn import functional

import bert
import gpt
import vit

BASE = {'WIDTH': 768, 'HEADS': 12, 'INNER': 3072, 'LAYERS': 12}
SIZES = {
    'bert': (bert, {**BASE, 'POSITIONS': 512, 'VOCABULARY': 30522}),
    'vit': (vit, {**BASE, 'PATCH': 16, 'GRID': 14}),
    'gpt2': (gpt, {**BASE, 'POSITIONS': 1024, 'VOCABULARY': 50257}),
}


def build(family):
    """The family's modules take their sizes from constants of their file: set them to the published ones."""
    module, sizes = SIZES[family]
    for name, size in sizes.items():
        setattr(module, name, size)
    torch.manual_seed(0)
    if family == 'bert':
        module.Embeddings.__init__.__defaults__ = (BASE['WIDTH'], True, None)
        model = module.Bert()
    elif family == 'vit':
        model = module.Vit()
    else:
        model = module.Gpt2(BASE['LAYERS'])
    for parameter in model.parameters():
        # Modules that start at zero or one would leave part of the arithmetic trivial.
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.02)
        parameter.requires_grad_(False)
    return model.eval()


def inputs_of(family, batch, total):
    if family == 'vit':
        return {'pixel_values': torch.zeros(batch, 3, 224, 224)}
    tokens = torch.ones(batch, total, dtype=torch.long)
    inputs = {'input_ids': tokens, 'attention_mask': tokens.clone()}
    return {**inputs, 'token_type_ids': torch.zeros_like(tokens)} if family == 'bert' else inputs


def export(family, file):
    inputs = inputs_of(family, 2, 16)
    axes = {name: {0: 'batch_size', **({} if family == 'vit' else {1: 'sequence_length'})} for name in inputs}
    axes['logits'] = {0: 'batch_size', **({1: 'sequence_length'} if family == 'gpt2' else {})}
    torch.onnx.export(
        First(build(family)), tuple(inputs.values()), file, input_names=list(inputs), output_names=['logits'],
        dynamic_axes=axes, opset_version=14, do_constant_folding=True,
    )


class First(torch.nn.Module):
    """Only the logits of a model that also returns its cache."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *inputs):
        output = self.model(*inputs)
        return output[0] if isinstance(output, (tuple, list)) else output


def answer(commands):
    """Runs a command for every line on standard input that names it and answers its milliseconds; `memory`: peak megabytes."""
    for line in sys.stdin:
        command = line.strip()
        if command == 'memory':
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)
            continue
        start = time.perf_counter()
        commands[command]()
        print((time.perf_counter() - start) * 1000, flush=True)


def serve(family, batch, sequence, prompt):
    model = build(family)
    inputs = inputs_of(family, batch, sequence + prompt)
    prompts = torch.randn(batch, prompt, BASE['WIDTH']).mul_(0.1).requires_grad_(True)
    embeddings = model.embeddings if family != 'gpt2' else None

    def prompted(module, arguments, output):
        if family == 'vit':
            return torch.cat((output[:, :1], prompts, output[:, 1:]), 1)
        return torch.cat((prompts, output[:, prompt:]), 1)

    lookup = {'bert': lambda: embeddings.word, 'vit': lambda: embeddings, 'gpt2': lambda: model.wte}[family]()
    lookup.register_forward_hook(prompted)
    model = First(model)

    def step():
        prompts.grad = None
        logits = model(*inputs.values())
        labels = torch.zeros(logits.shape[:-1], dtype=torch.long)
        functional.cross_entropy(logits.flatten(0, -2), labels.flatten()).backward()

    def forward():
        with torch.no_grad():
            model(*inputs.values())

    answer({'step': step, 'forward': forward})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('action', choices=['export', 'serve'])
    parser.add_argument('family', choices=list(SIZES))
    parser.add_argument('file', nargs='?')
    for name, default in (('batch', 8), ('sequence', 128), ('prompt', 20), ('threads', 2)):
        parser.add_argument('--' + name, type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.action == 'export':
        export(options.family, options.file)
    else:
        serve(options.family, options.batch, options.sequence, options.prompt)


if __name__ == '__main__':
    main()
