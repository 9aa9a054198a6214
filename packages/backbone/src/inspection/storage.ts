import { DataType, type Graph } from '@dynaprompt/onnx-autodiff';
import { storedTensors } from '../folder/stored-tensors.js';

/** How a model's weights are stored. */
export interface WeightStorage {
  /** Numbers by element type, e.g. `{ float32: 109_482_240 }`; all constants of the file, largest share first. */
  readonly dtypes: Readonly<Record<string, number>>;
  /** What of reduced precision computes with them, e.g. `MatMulNBits`; empty for a float model. */
  readonly quantisation: readonly string[];
  /** Names of the files beside the model that hold weights. */
  readonly externalData: readonly string[];
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(DataType).map(([name, type]) => [type, name] as const),
);
const QUANTISED =
  /^(DequantizeLinear|QuantizeLinear|DynamicQuantize\w+|MatMulInteger\w*|ConvInteger|MatMulNBits|MatMulBnb4|GatherBlockQuantized|QLinear\w+|Q(Attention|Gemm|EmbedLayerNormalization))$/;

/** Name of an ONNX element type, e.g. `float32`. */
export function typeName(dataType: number): string {
  return NAMES.get(dataType) ?? `type ${dataType}`;
}

/**
 * Element types and places of the weights of a graph as it was read.
 * @param file that the graph was read from.
 */
export function storageOf(graph: Graph, file: string): WeightStorage {
  const counts = new Map<string, number>();
  for (const { dims, dataType } of graph.initializers.values()) {
    const size = dims.reduce((product, extent) => product * extent, 1);
    const name = typeName(dataType);
    counts.set(name, (counts.get(name) ?? 0) + size);
  }
  const operators = new Set([...graph.nodes].map(({ opType }) => opType));
  return {
    dtypes: Object.fromEntries([...counts].sort(([, left], [, right]) => right - left)),
    quantisation: [...operators].filter((operator) => QUANTISED.test(operator)).sort(),
    externalData: [...storedTensors(graph, file).keys()].slice(1).sort(),
  };
}
