"""A case: a model with seeded weights, its ONNX export, and torch autograd's loss and prompt gradient in float64.

Prompts enter the torch model through a forward hook on the module that makes the embeddings, so the model's own code is
the same with and without them. The ONNX file is exported without prompts, as published files are.
"""
import copy
import json
import math
import os
import warnings
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Optional, Sequence

import numpy
import onnx
import onnx.numpy_helper
import torch
from torch import nn
from torch.nn import functional

from safetensors import write_safetensors

Tensors = Dict[str, torch.Tensor]


@dataclass(frozen=True)
class Prompt:
    """Where prompts go."""

    source: str  # graph input: 'input_ids' or 'pixel_values'
    module: str  # path of the module whose output [B, rows, d] carries them
    width: int
    length: int = 3
    insert_at: Optional[int] = None  # None: they replace rows, else they are inserted in front of this row
    biases: Sequence[str] = ()  # modules that return a bias [1, heads, rows, rows]; it is 0 for inserted rows


@dataclass(frozen=True)
class Case:
    name: str
    build: Callable[[], nn.Module]
    example: Callable[[int], Tensors]  # seed -> the inputs that the export is traced with
    references: Sequence[Tensors]  # inputs, `labels` or `upstream`, `prompt_positions` [B, P] where not 0 … P-1
    axes: Dict[str, Dict[int, str]]  # dynamic axes of inputs and outputs; their order is that of forward()
    outputs: Sequence[str] = ('logits',)
    output: str = 'logits'  # the one that the objective is on
    prompts: Sequence[Prompt] = ()
    gradient_of: Optional[str] = None  # instead of prompts: the gradient of an input
    opset: int = 14
    raise_to: Optional[int] = None  # operator set that the export is rewritten for
    metadata: Dict[str, str] = field(default_factory=dict)
    export: Optional[Callable[..., None]] = None  # (case, model, input names, path)
    seed: int = 0


def initialise(model, seed):
    """Weights that keep activations near 1, so that attention is far from uniform and no gradient is tiny."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            noise = torch.randn(weight.shape, generator=generator)
            if weight.dim() >= 2:
                weight.copy_(noise / math.sqrt(weight[0].numel()))
            elif 'norm' in name and name.endswith('weight'):
                weight.copy_(1 + 0.1 * noise)
            elif weight.dim() == 1:
                weight.copy_(0.1 * noise)
    return model.eval()


def write_case(case, folder):
    os.makedirs(folder, exist_ok=True)
    model = initialise(case.build(), case.seed)
    names = [name for name in case.axes if name not in case.outputs]
    (case.export or export)(case, model, names, os.path.join(folder, 'model.onnx'))
    precise = copy.deepcopy(model).double()
    tensors = {}
    prefixes = [f'{index}.' if index else '' for index in range(len(case.references))]
    for index, (prefix, reference) in enumerate(zip(prefixes, case.references)):
        for name, value in reference_tensors(case, precise, names, reference, case.seed + index).items():
            value = value.detach().contiguous()
            tensors[prefix + name] = (value.float() if value.is_floating_point() else value.long()).numpy()
    metadata = {'output': case.output, **case.metadata}
    is_product = any('upstream' in reference for reference in case.references)
    metadata['objective'] = 'vector-jacobian' if is_product else 'cross-entropy'
    if case.gradient_of:
        metadata['gradient_of'] = case.gradient_of
    elif case.prompts:
        metadata['inject'] = ','.join(prompt.source for prompt in case.prompts)
    for prompt in case.prompts:
        if prompt.insert_at is not None:
            metadata['insert_at'] = str(prompt.insert_at)
    metadata['references'] = json.dumps(prefixes)
    if case.references:
        write_safetensors(os.path.join(folder, 'case.safetensors'), tensors, metadata)


def export(case, model, names, path):
    example = case.example(case.seed)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')  # the tracer's remarks on shapes read as numbers
        torch.onnx.export(
            model,
            tuple(example[name] for name in names),
            path,
            input_names=names,
            output_names=list(case.outputs),
            dynamic_axes=case.axes,
            do_constant_folding=True,
            opset_version=case.opset,
        )
    if case.raise_to:
        onnx.save(raise_opset(onnx.load(path), case.raise_to), path)


def raise_opset(model, version):
    """Operator set 18 and later: reductions take their axes as an input, Split its number of parts."""
    for node in model.graph.node:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        if node.op_type in ('ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceL2') and 'axes' in attributes:
            name = f'{node.output[0]}_axes'
            values = numpy.array(attributes['axes'].ints, dtype=numpy.int64)
            model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
            node.input.append(name)
            node.attribute.remove(attributes['axes'])
        elif node.op_type == 'Split' and len(node.input) == 1:
            node.attribute.append(onnx.helper.make_attribute('num_outputs', len(node.output)))
    model.opset_import[0].version = version
    model.ir_version = 10 if version >= 21 else 8
    return model


def reference_tensors(case, model, names, reference, seed):
    """Inputs, prompts, and what torch makes of them."""
    generator = torch.Generator().manual_seed(1000 + seed)
    feeds = {name: as_double(reference[name]) for name in names}
    tensors: Dict[str, Any] = {name: value for name, value in reference.items()}
    variables, hooks = {}, []
    if case.gradient_of:
        variables['gradient'] = feeds[case.gradient_of].requires_grad_()
    for prompt in case.prompts:
        suffix = f'.{prompt.source}' if len(case.prompts) > 1 else ''
        batch = reference[prompt.source].shape[0]
        values = 0.3 * torch.randn(batch, prompt.length, prompt.width, generator=generator)
        tensors[f'prompt_embeddings{suffix}'] = values
        values = as_double(values).requires_grad_()
        variables[f'prompt_gradient{suffix}'] = values
        positions = reference.get(f'prompt_positions{suffix}')
        hooks += prompt_hooks(model, prompt, values, positions)
    results = model(*feeds.values())
    results = results if isinstance(results, (tuple, list)) else (results,)
    output = dict(zip(case.outputs, results))[case.output]
    if 'upstream' in reference:
        loss = (output * as_double(reference['upstream'])).sum()
    else:
        labels = reference['labels']
        loss = functional.cross_entropy(output.reshape(-1, output.shape[-1]), labels.reshape(-1))
    loss.backward()
    for hook in hooks:
        hook.remove()
    tensors['logits'] = output
    tensors['loss'] = loss.reshape(1)
    tensors.update({name: value.grad for name, value in variables.items()})
    return tensors


def as_double(value):
    return value.double() if value.is_floating_point() else value


def prompt_hooks(model, prompt, values, positions):
    """Hooks that put values [B, P, d] into the module's output, and widen the biases."""
    count = values.shape[1]

    def replace(_module, _inputs, output):
        rows = torch.arange(count).expand(values.shape[:2]) if positions is None else positions
        return output.scatter(1, rows.unsqueeze(-1).expand(values.shape), values)

    def insert(_module, _inputs, output):
        at = prompt.insert_at
        return torch.cat([output[:, :at], values, output[:, at:]], 1)

    def widen(_module, _inputs, output):
        at, rows = prompt.insert_at, output.shape[-1]
        kept = [row if row < at else row + count for row in range(rows)]
        wide = output.new_zeros(*output.shape[:2], rows + count, rows + count)
        wide[:, :, torch.tensor(kept)[:, None], torch.tensor(kept)[None, :]] = output
        return wide

    entry = replace if prompt.insert_at is None else insert
    hooks = [model.get_submodule(prompt.module).register_forward_hook(entry)]
    return hooks + [model.get_submodule(name).register_forward_hook(widen) for name in prompt.biases]
