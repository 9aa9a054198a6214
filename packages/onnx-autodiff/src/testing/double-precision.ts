import { attributes, intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { tensorValues } from '../graph/tensor-data.js';
import { DataType } from '../graph/types.js';
import { openSession } from '../session/session.js';
import type { TensorValue } from '../session/tensor-value.js';
import { tensorOf } from './models.js';

/** Tensors of float64 numbers, row-major. */
export interface DoubleTensor {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/** Evaluates the one output of a model in float64. */
export type DoubleFunction = (inputs: Readonly<Record<string, DoubleTensor>>) => Promise<DoubleTensor>;

/** Turns a float32 graph into the same graph in float64. */
function toDouble(graph: Graph): Graph {
  const double = graph.clone();
  for (const [name, info] of double.inputs)
    if (info.dataType === DataType.float32) double.inputs.set(name, { ...info, dataType: DataType.float64 });
  for (const [name, info] of double.outputs)
    double.outputs.set(name, { ...info, dataType: DataType.float64 });
  for (const [name, tensor] of double.initializers) {
    if (tensor.dataType !== DataType.float32) continue;
    const values = Float64Array.from(tensorValues(tensor));
    double.initializers.set(name, tensorOf(name, DataType.float64, tensor.dims, values));
  }
  for (const node of [...double.nodes]) {
    if (node.opType !== 'Cast' || intAttribute(node, 'to', 0) !== DataType.float32) continue;
    double.remove(node);
    double.add({ ...node, attributes: attributes({ to: DataType.float64 }) });
  }
  return double;
}

/** Runs `use` with the float64 form of a graph with one output; `fixed` are inputs that are not floats. */
export async function withDoubleForward<T>(
  graph: Graph,
  fixed: Readonly<Record<string, TensorValue>>,
  use: (forward: DoubleFunction) => Promise<T>,
): Promise<T> {
  const session = await openSession(toDouble(graph), { optimization: 'disabled', threads: 1 });
  const [output = ''] = session.outputs;
  try {
    return await use(async (inputs) => {
      const feeds = Object.entries(inputs).map(
        ([name, value]) => [name, { type: 'float64', ...value }] as const,
      );
      const result = (await session.run({ ...fixed, ...Object.fromEntries(feeds) }))[output];
      if (!(result?.data instanceof Float64Array)) throw new TypeError('the forward is not in float64');
      return { dims: result.dims, data: result.data.slice() };
    });
  } finally {
    await session.release();
  }
}

/** Gradient of Σ forward · upstream with respect to one input by central differences in float64. */
export async function centralDifferences(
  forward: DoubleFunction,
  inputs: Readonly<Record<string, DoubleTensor>>,
  name: string,
  upstream: ArrayLike<number>,
  step = 1e-6,
): Promise<Float64Array> {
  const input = inputs[name];
  if (!input) throw new Error(`no input ${name}`);
  const objective = async (index: number, shift: number): Promise<number> => {
    const data = input.data.slice();
    data[index] = (data[index] ?? 0) + shift;
    const result = await forward({ ...inputs, [name]: { dims: input.dims, data } });
    return result.data.reduce((sum, value, at) => sum + value * (upstream[at] ?? 0), 0);
  };
  const gradient = new Float64Array(input.data.length);
  for (let index = 0; index < gradient.length; index++) {
    gradient[index] = ((await objective(index, step)) - (await objective(index, -step))) / (2 * step);
  }
  return gradient;
}
