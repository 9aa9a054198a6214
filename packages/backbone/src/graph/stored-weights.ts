import { ConfigurationError } from '@dynaprompt/core';
import { DataType, type Graph, type Node, type Tensor } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from '../package-name.js';

const FLOATS: ReadonlySet<number> = new Set([DataType.float32, DataType.float16, DataType.bfloat16]);
const CODES: ReadonlySet<number> = new Set([DataType.int8, DataType.uint8]);

/** Inputs of an operator that say what codes stand for: scales, zero points, largest values. */
const SCALES: Readonly<Record<string, readonly number[]>> = {
  DequantizeLinear: [1, 2],
  MatMulInteger: [2, 3],
  MatMulIntegerToFloat: [2, 3, 4, 5],
  MatMulNBits: [2, 3],
  MatMulBnb4: [2],
  GatherBlockQuantized: [2, 3],
};

/** Parameters of a model: its floating-point constants, and what quantised ones stand for. */
export function countParameters(graph: Graph): number {
  const nodes = [...graph.nodes];
  const scales = new Set(
    nodes.flatMap(({ opType, inputs }) =>
      (SCALES[opType] ?? []).map((at) => stored(graph, inputs[at] ?? '')),
    ),
  );
  const packed = new Map(nodes.flatMap((node) => packedSize(graph, node)));
  return [...graph.initializers.values()]
    .filter(({ name }) => !scales.has(name))
    .reduce((sum, tensor) => sum + (packed.get(tensor.name) ?? sizeOf(tensor)), 0);
}

/**
 * Refuses to train weights that are not stored as the numbers they are.
 * @throws ConfigurationError naming the file.
 */
export function refuseReducedPrecision(graph: Graph): void {
  const isReduced = ({ dataType, dims }: Tensor): boolean =>
    product(dims) > 1 && (CODES.has(dataType) || (FLOATS.has(dataType) && dataType !== DataType.float32));
  if (![...graph.initializers.values()].some(isReduced)) return;
  throw new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: graph.source,
    problem: 'its weights are stored in reduced precision and cannot be fine-tuned',
    remedy: 'Open the backbone with dtype fp32',
  });
}

/** The constant behind a tensor that may be widened from half precision. */
function stored(graph: Graph, tensor: string): string {
  const producer = graph.producer(tensor);
  return producer?.opType === 'Cast' ? (producer.inputs[0] ?? tensor) : tensor;
}

function sizeOf({ dataType, dims }: Tensor): number {
  const isWeight = FLOATS.has(dataType) ? dims.length > 0 : CODES.has(dataType) && dims.length > 1;
  return isWeight ? product(dims) : 0;
}

/** Weights whose codes share bytes, with how many there are. */
function packedSize(graph: Graph, { opType, inputs, attributes }: Node): (readonly [string, number])[] {
  const attribute = (name: string, fallback: number): number => {
    const value = attributes.get(name);
    return value?.kind === 'int' ? value.value : fallback;
  };
  if (opType === 'MatMulNBits' || opType === 'MatMulBnb4')
    return [[inputs[1] ?? '', attribute('N', 0) * attribute('K', 0)]];
  const table = graph.initializers.get(inputs[0] ?? '');
  if (opType !== 'GatherBlockQuantized' || !table) return [];
  const perByte = table.dataType === DataType.uint8 ? 8 / attribute('bits', 4) : 1;
  return [[table.name, product(table.dims) * perByte]];
}

function product(dims: readonly number[]): number {
  return dims.reduce((extents, extent) => extents * extent, 1);
}
