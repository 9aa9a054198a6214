import { DataType, Emitter, type Graph } from '@dynaprompt/onnx-autodiff';
import { integerCodes, type IntegerCodes } from './integer-codes.js';
import { addTensor, lookups, replaceTable, replaceWeight, weightProducts, weightValues } from './weights.js';

/** Variants of the form that published exports come in. */
export interface DynamicOptions {
  /** `model_int8.onnx` or `model_uint8.onnx`; `model_quantized.onnx` is one of them. */
  readonly type?: 'int8' | 'uint8';
  /** A scale for each column of a weight. */
  readonly perColumn?: boolean;
  /** Convolutions as ConvInteger too, as onnxruntime's tool does unless it is told not to; default false. */
  readonly convolutions?: boolean;
}

/**
 * Products of dynamically quantised activations with integer weights, as `quantize_dynamic` of onnxruntime writes them:
 * DynamicQuantizeLinear (one for all readers of an activation), MatMulInteger, Cast, Mul by both scales, Add of the bias; lookups
 * in tables of uint8 with DequantizeLinear after them.
 * @param dequantised writes the weights' rounded values in float32 instead.
 */
export function toDynamic(graph: Graph, dequantised: boolean, options: DynamicOptions = {}): void {
  const emit = new Emitter(graph);
  const { type = 'int8', perColumn = false, convolutions = false } = options;
  const activationsOf = new Map<string, readonly string[]>();
  for (const product of weightProducts(graph)) {
    const { node, activations, weight, values, outer, inner, bias } = product;
    const quantised = integerCodes(values, outer, { type, perColumn });
    if (dequantised) {
      replaceWeight(graph, product, quantised.values);
      continue;
    }
    const parts = addCodes(graph, weight, quantised, [inner, outer]);
    const x =
      activationsOf.get(activations) ?? emit.node('DynamicQuantizeLinear', [activations], {}, { outputs: 3 });
    activationsOf.set(activations, x);
    const [codes = '', scale = '', zeroPoint = ''] = x;
    const sums = emit.op('MatMulInteger', [codes, parts.codes, zeroPoint, parts.zeroPoint]);
    const scaled = emit.mul(emit.cast(sums, DataType.float32), emit.mul(scale, parts.scale));
    const [output = ''] = node.outputs;
    graph.remove(node);
    emit.alias(bias === '' ? scaled : emit.add(scaled, bias), output);
  }
  if (convolutions) quantiseConvolutions(graph, dequantised, type);
  for (const lookup of lookups(graph)) {
    const { node, table } = lookup;
    const values = weightValues(table);
    const quantised = integerCodes(values, 1, { type: 'uint8', perColumn: false });
    if (dequantised) {
      replaceTable(graph, lookup, quantised.values);
      continue;
    }
    const parts = addCodes(graph, table.name, quantised, table.dims);
    const [output = ''] = node.outputs;
    graph.setInputs(node, [parts.codes, ...node.inputs.slice(1)]);
    graph.setOutputs(node, [graph.fresh('rows')]);
    emit.alias(emit.op('DequantizeLinear', [node.outputs[0] ?? '', parts.scale, parts.zeroPoint]), output);
  }
}

/** DynamicQuantizeLinear, ConvInteger, Cast, Mul by both scales, Add of the bias [1, channels, 1, 1]. */
function quantiseConvolutions(graph: Graph, dequantised: boolean, type: 'int8' | 'uint8'): void {
  const emit = new Emitter(graph);
  for (const node of [...graph.nodes]) {
    const [picture = '', kernel = '', bias = ''] = node.inputs;
    const weight = graph.initializers.get(kernel);
    if (node.opType !== 'Conv' || weight?.dataType !== DataType.float32) continue;
    const quantised = integerCodes(weightValues(weight), 1, { type, perColumn: false });
    if (dequantised) {
      const rounded = addTensor(graph, graph.fresh(kernel), DataType.float32, weight.dims, quantised.values);
      graph.setInputs(node, [picture, rounded, ...node.inputs.slice(2)]);
      continue;
    }
    const parts = addCodes(graph, kernel, quantised, weight.dims);
    const [codes = '', scale = '', zero = ''] = emit.node(
      'DynamicQuantizeLinear',
      [picture],
      {},
      { outputs: 3 },
    );
    const sums = graph.fresh('sums');
    const inputs = [codes, parts.codes, zero, parts.zeroPoint];
    graph.remove(node);
    graph.add({
      opType: 'ConvInteger',
      domain: '',
      inputs,
      outputs: [sums],
      attributes: node.attributes,
    });
    const scaled = emit.mul(emit.cast(sums, DataType.float32), emit.mul(scale, parts.scale));
    const [output = ''] = node.outputs;
    const raised = bias === '' ? scaled : emit.add(scaled, emit.reshape(bias, emit.ints(1, -1, 1, 1)));
    emit.alias(raised, output);
  }
}

/** Adds codes, scale and zero point of a tensor under the names that onnxruntime's tools give them. */
export function addCodes(
  graph: Graph,
  name: string,
  { codes, scales, zeroPoints }: IntegerCodes,
  dims: readonly number[],
): { readonly codes: string; readonly scale: string; readonly zeroPoint: string } {
  const type = codes instanceof Int8Array ? DataType.int8 : DataType.uint8;
  const each = scales.length === 1 ? [] : [scales.length];
  return {
    codes: addTensor(graph, `${name}_quantized`, type, dims, codes),
    scale: addTensor(graph, `${name}_scale`, DataType.float32, each, scales),
    zeroPoint: addTensor(graph, `${name}_zero_point`, type, each, zeroPoints),
  };
}
