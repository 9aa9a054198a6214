"""Merged decoders, as Optimum makes them: `If` on use_cache_branch between the graphs with and without a cache."""
import dataclasses
import json
import os
import tempfile
from dataclasses import dataclass
from typing import Callable, Dict, Sequence

import onnx
import onnx.numpy_helper

import bart
import t5
from case import Tensors, export
from gpt import HEADS, WIDTH, Gpt2, decoder
from inputs import randn

NO_CACHE = {'conditions': json.dumps({'use_cache_branch': False})}


@dataclass(frozen=True)
class Cached:
    """What is special about the graph with a cache."""

    axes: Dict[str, Dict[int, str]]  # inputs that it has besides
    example: Callable[[Tensors, int], Tensors]  # inputs of the other graph, seed -> its own
    outputs: Sequence[str]  # those that it computes; it gives the others a size of 0


def merging(cached):
    def export_merged(case, model, names, path):
        with tempfile.TemporaryDirectory() as folder:
            files = [os.path.join(folder, name) for name in ('without.onnx', 'with.onnx')]
            export(case, model, names, files[0])
            own = dataclasses.replace(
                case,
                example=lambda seed: cached.example(case.example(seed), seed),
                outputs=cached.outputs,
                axes={**{n: a for n, a in case.axes.items() if n in names or n in cached.outputs}, **cached.axes},
            )
            export(own, model, [*names, *cached.axes], files[1])
            without, with_cache = (onnx.load(file) for file in files)
        onnx.save(merge(without, with_cache), path)

    return export_merged


def merge(without, with_cache):
    branches, shared = [], {}
    for part, prefix in ((without, 'without.'), (with_cache, 'with.')):
        branches.append(branch_of(part.graph, prefix, shared, without.graph.output))
    own = {value.name: value for graph in (without.graph, with_cache.graph) for value in graph.input}
    condition = onnx.helper.make_tensor_value_info('use_cache_branch', onnx.TensorProto.BOOL, [1])
    outputs = [output.name for output in without.graph.output]
    choice = onnx.helper.make_node(
        'If', ['use_cache_branch'], outputs, 'branch', else_branch=branches[0], then_branch=branches[1]
    )
    graph = onnx.helper.make_graph(
        [choice], 'merged', [*own.values(), condition], without.graph.output, list(shared.values())
    )
    return onnx.helper.make_model(graph, opset_imports=without.opset_import, ir_version=without.ir_version)


def branch_of(graph, prefix, shared, outputs):
    """The graph without inputs; its weights go to the outer graph, equal ones once. Names of results stay."""
    names = {}
    for tensor in graph.initializer:
        key = (tensor.data_type, tuple(tensor.dims), onnx.numpy_helper.to_array(tensor).tobytes())
        if key not in shared:
            shared[key] = onnx.TensorProto.FromString(tensor.SerializeToString())
            shared[key].name = f'shared.{len(shared)}.{tensor.name}'
        names[tensor.name] = shared[key].name
    results = {output.name: output for output in graph.output}
    for node in graph.node:
        names.update({name: prefix + name for name in node.output if name and name not in results})
    for node in graph.node:
        node.name = prefix + node.name
        for index, name in enumerate(node.input):
            node.input[index] = names.get(name, name)
        for index, name in enumerate(node.output):
            node.output[index] = names.get(name, name)
    missing = [empty(output, prefix) for output in outputs if output.name not in results]
    own = [results.get(output.name, output) for output in outputs]
    return onnx.helper.make_graph([*graph.node, *missing], prefix + 'branch', [], own)


def empty(output, prefix):
    """A constant without elements in place of an output."""
    extents = [dimension.dim_value for dimension in output.type.tensor_type.shape.dim]
    value = onnx.helper.make_tensor(f'{prefix}{output.name}', output.type.tensor_type.elem_type, extents, [])
    return onnx.helper.make_node('Constant', [], [output.name], f'{prefix}{output.name}', value=value)


PRESENT = ['present.0.key', 'present.0.value']
PAST = [name.replace('present', 'past_key_values') for name in PRESENT]


def with_past(tensors, seed):
    batch, length = tensors['input_ids'].shape
    mask = tensors['attention_mask'].new_ones(batch, 2 + length)
    return {**tensors, 'attention_mask': mask, **{name: randn(seed, batch, HEADS, 2, WIDTH // HEADS) for name in PAST}}


def with_both_pasts(heads, size):
    """One token, behind a cache of 2 for the decoder and one for all of its encoder."""

    def example(tensors, seed):
        batch, source = tensors['encoder_attention_mask'].shape
        lengths = {'decoder': 2, 'encoder': source}
        past = {name: randn(seed, batch, heads, lengths[name.split('.')[2]], size) for name in BOTH_PAST}
        return {**tensors, 'input_ids': tensors['input_ids'][:, :1], **past}

    return example


BOTH = [f'present.0.{source}.{part}' for source in ('decoder', 'encoder') for part in ('key', 'value')]
BOTH_PAST = [name.replace('present', 'past_key_values') for name in BOTH]
CACHE = {0: 'batch_size', 2: 'past_decoder_sequence_length + 1'}
MEMORY = {0: 'batch_size', 2: 'encoder_sequence_length_out'}
PAST_CACHE = {0: 'batch_size', 2: 'past_decoder_sequence_length'}


def seq2seq(case, name, build, heads, seed):
    """The case of a decoder, of one layer and merged."""
    size = case.references[0]['encoder_hidden_states'].shape[-1] // heads
    return dataclasses.replace(
        case,
        name=name,
        build=build,
        axes={
            **{name: axes for name, axes in case.axes.items() if not name.startswith('present')},
            **{name: CACHE if 'decoder' in name else MEMORY for name in BOTH},
        },
        outputs=['logits', *BOTH],
        export=merging(
            Cached(
                {name: PAST_CACHE if 'decoder' in name else MEMORY for name in BOTH_PAST},
                with_both_pasts(heads, size),
                ['logits', *BOTH[:2]],
            )
        ),
        metadata=NO_CACHE,
        seed=seed,
    )


CASES = [
    decoder(
        'gpt2-merged',
        lambda: Gpt2(1),
        WIDTH,
        'wte',
        23,
        PRESENT,
        export=merging(
            Cached(
                {name: {0: 'batch_size', 2: 'past_sequence_length'} for name in PAST},
                with_past,
                ['logits', *PRESENT],
            )
        ),
        metadata=NO_CACHE,
    ),
    seq2seq(t5.DECODER_CASE, 't5-decoder-merged', lambda: t5.Decoder(layers=1, keeps_cache=True), t5.HEADS, 49),
    seq2seq(bart.DECODER_CASE, 'bart-decoder-merged', lambda: bart.Decoder(layers=1), bart.HEADS, 48),
]
