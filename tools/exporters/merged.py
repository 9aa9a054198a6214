"""A merged decoder, as Optimum makes it: `If` on use_cache_branch between the graphs with and without a cache."""
import dataclasses
import json
import os
import tempfile

import onnx
import onnx.numpy_helper

from case import export
from gpt import HEADS, WIDTH, Gpt2, decoder
from inputs import randn

PRESENT = ['present.0.key', 'present.0.value']
PAST = [name.replace('present', 'past_key_values') for name in PRESENT]


def export_merged(case, model, names, path):
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, name) for name in ('without.onnx', 'with.onnx')]
        export(case, model, names, files[0])
        axes = {name: {0: 'batch_size', 2: 'past_sequence_length'} for name in PAST}

        def example(seed):
            tensors = case.example(seed)
            batch = tensors['input_ids'].shape[0]
            tensors['attention_mask'] = tensors['attention_mask'].new_ones(batch, 2 + tensors['input_ids'].shape[1])
            return {**tensors, **{name: randn(seed, batch, HEADS, 2, WIDTH // HEADS) for name in PAST}}

        cached = dataclasses.replace(case, example=example, axes={**case.axes, **axes})
        export(cached, model, [*names, *PAST], files[1])
        without, with_cache = (onnx.load(file) for file in files)
    branches, shared = [], {}
    for part, prefix in ((without, 'without.'), (with_cache, 'with.')):
        branches.append(branch_of(part.graph, prefix, shared))
    inputs = list(with_cache.graph.input)
    condition = onnx.helper.make_tensor_value_info('use_cache_branch', onnx.TensorProto.BOOL, [1])
    outputs = [output.name for output in without.graph.output]
    choice = onnx.helper.make_node(
        'If', ['use_cache_branch'], outputs, 'branch', else_branch=branches[0], then_branch=branches[1]
    )
    graph = onnx.helper.make_graph([choice], 'merged', [*inputs, condition], without.graph.output, list(shared.values()))
    merged = onnx.helper.make_model(graph, opset_imports=without.opset_import, ir_version=without.ir_version)
    onnx.save(merged, path)


def branch_of(graph, prefix, shared):
    """The graph without inputs; its weights go to the outer graph, equal ones once. Names of results stay."""
    names = {}
    for tensor in graph.initializer:
        key = (tensor.data_type, tuple(tensor.dims), onnx.numpy_helper.to_array(tensor).tobytes())
        if key not in shared:
            shared[key] = onnx.TensorProto.FromString(tensor.SerializeToString())
            shared[key].name = f'shared.{len(shared)}.{tensor.name}'
        names[tensor.name] = shared[key].name
    results = {output.name for output in graph.output}
    for node in graph.node:
        names.update({name: prefix + name for name in node.output if name and name not in results})
    for node in graph.node:
        node.name = prefix + node.name
        for index, name in enumerate(node.input):
            node.input[index] = names.get(name, name)
        for index, name in enumerate(node.output):
            node.output[index] = names.get(name, name)
    return onnx.helper.make_graph(list(graph.node), prefix + 'branch', [], list(graph.output))


CASES = [
    decoder(
        'gpt2-merged',
        lambda: Gpt2(1),
        WIDTH,
        'wte',
        23,
        PRESENT,
        export=export_merged,
        metadata={'conditions': json.dumps({'use_cache_branch': False})},
    )
]
