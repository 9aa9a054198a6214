import {
  DataType,
  Emitter,
  floatsOf,
  openSession,
  type Graph,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { addCodes } from './dynamic.js';
import { integerCodes, type IntegerOptions } from './integer-codes.js';
import { addTensor, lookups, replaceTable, replaceWeight, weightProducts, weightValues } from './weights.js';

// Taken out once: jest's sandbox looks up every global slowly, and these run once for every value.
const { max, min } = Math;

/** Inputs of one run. */
export type Feeds = Readonly<Record<string, TensorValue>>;

/** How weights and activations are quantised; weights to int8 for each column by default, activations to uint8. */
export interface StaticOptions {
  readonly weights?: IntegerOptions;
  readonly activations?: 'int8' | 'uint8';
  /** Whether products' results are quantised too, as `quantize_static` does; default true. */
  readonly results?: boolean;
  /** Factor of the measured range of activations: below 1, the rest is clipped. */
  readonly range?: number;
}

/**
 * QuantizeLinear/DequantizeLinear pairs around the activations and weights of matrix products, and DequantizeLinear of
 * embedding tables, as `quantize_static` of onnxruntime writes its QDQ format; outputs of the graph stay as they are.
 * @param calibration inputs on which the activations' ranges are measured.
 * @param dequantised writes the weights' rounded values in float32 instead.
 */
export async function toStatic(
  graph: Graph,
  dequantised: boolean,
  calibration: readonly Feeds[],
  options: StaticOptions = {},
): Promise<void> {
  const emit = new Emitter(graph);
  const {
    weights = { type: 'int8', perColumn: true },
    activations = 'uint8',
    range = 1,
    results = true,
  } = options;
  const products = weightProducts(graph);
  const outputs = products.map(({ node }) => node.outputs[0] ?? '');
  const ranges = dequantised
    ? new Map<string, readonly [number, number]>()
    : await measureRanges(
        graph,
        [...products.map((product) => product.activations), ...outputs],
        calibration,
      );
  const pair = (tensor: string, measuredAs: string): string => {
    const [low, high] = ranges.get(measuredAs) ?? [0, 0];
    const extremes = Float32Array.of(low * range, high * range);
    const { scales, zeroPoints } = integerCodes(extremes, 1, { type: activations, perColumn: false });
    const type = activations === 'int8' ? DataType.int8 : DataType.uint8;
    const scale = addTensor(graph, graph.fresh('scale'), DataType.float32, [], scales);
    const zeroPoint = addTensor(graph, graph.fresh('zero_point'), type, [], zeroPoints);
    const codes = emit.op('QuantizeLinear', [tensor, scale, zeroPoint]);
    return emit.op('DequantizeLinear', [codes, scale, zeroPoint]);
  };
  const pairs = new Map<string, string>();
  for (const product of products) {
    const { node, activations: x, weight, values, inner, outer, bias } = product;
    const quantised = integerCodes(values, outer, weights);
    if (dequantised) {
      replaceWeight(graph, product, quantised.values);
      continue;
    }
    const parts = addCodes(graph, weight, quantised, [inner, outer]);
    const matrix = emit.op('DequantizeLinear', [parts.codes, parts.scale, parts.zeroPoint], { axis: 1 });
    const rounded = pairs.get(x) ?? pair(x, x);
    pairs.set(x, rounded);
    const [output = ''] = node.outputs;
    graph.remove(node);
    const y = emit.op('MatMul', [rounded, matrix]);
    const sum = bias === '' ? y : emit.add(y, bias);
    emit.alias(graph.outputs.has(output) || !results ? sum : pair(sum, output), output);
  }
  for (const lookup of lookups(graph)) {
    const { node, table } = lookup;
    const quantised = integerCodes(weightValues(table), 1, { type: 'uint8', perColumn: false });
    if (dequantised) {
      replaceTable(graph, lookup, quantised.values);
      continue;
    }
    const parts = addCodes(graph, table.name, quantised, table.dims);
    const values = emit.op('DequantizeLinear', [parts.codes, parts.scale, parts.zeroPoint]);
    graph.setInputs(node, [values, ...node.inputs.slice(1)]);
  }
}

/** Least and greatest value of tensors over some runs, 0 included. */
async function measureRanges(
  graph: Graph,
  tensors: readonly string[],
  calibration: readonly Feeds[],
): Promise<Map<string, readonly [number, number]>> {
  const measured = graph.clone();
  const emit = new Emitter(measured);
  measured.outputs.clear();
  const names = [...new Set(tensors)];
  const outputs = names.map((name) => {
    const output = measured.fresh('measured');
    emit.output(output, name);
    return output;
  });
  const session = await openSession(measured, { optimization: 'disabled' });
  const ranges = new Map<string, readonly [number, number]>();
  try {
    for (const feeds of calibration) {
      const used = Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputs.has(name)));
      const results = await session.run(used);
      outputs.forEach((output, index) => {
        const name = names[index] ?? '';
        let [low, high] = ranges.get(name) ?? [0, 0];
        for (const value of floatsOf(results[output])) {
          low = min(low, value);
          high = max(high, value);
        }
        ranges.set(name, [low, high]);
      });
    }
  } finally {
    await session.release();
  }
  return ranges;
}
