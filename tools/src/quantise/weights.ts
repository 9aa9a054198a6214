import {
  DataType,
  tensorBytes,
  tensorValues,
  type Graph,
  type Node,
  type Tensor,
} from '@dynaprompt/onnx-autodiff';

/** A product of activations with a constant matrix. */
export interface WeightProduct {
  readonly node: Node;
  readonly activations: string;
  readonly weight: string;
  /** [K, N], row-major: y = x · W. */
  readonly values: Float32Array;
  readonly inner: number;
  readonly outer: number;
  /** Added to the product, '' for none. */
  readonly bias: string;
}

/**
 * MatMul and Gemm with constant float32 matrices, as the published quantisation tools choose them.
 * @throws Error if there are none.
 */
export function weightProducts(graph: Graph): readonly WeightProduct[] {
  const products = [...graph.nodes].flatMap((node): WeightProduct[] => {
    const [activations = '', weight = '', bias = ''] = node.inputs;
    const tensor = graph.initializers.get(weight);
    const isProduct = node.opType === 'MatMul' || (node.opType === 'Gemm' && isPlain(node));
    if (!isProduct || node.domain !== '' || tensor?.dims.length !== 2) return [];
    if (tensor.dataType !== DataType.float32) return [];
    const stored = weightValues(tensor);
    const [rows = 0, columns = 0] = tensor.dims;
    const isTransposed = numberOf(node, 'transB') === 1;
    const [inner, outer] = isTransposed ? [columns, rows] : [rows, columns];
    const values = isTransposed ? transposed(stored, rows, columns) : stored;
    return [{ node, activations, weight, values, inner, outer, bias }];
  });
  if (products.length === 0)
    throw new Error(`${graph.source}: it multiplies by no float32 weights; give the model in float32.`);
  return products;
}

/** A Gemm that is a product and a sum. */
function isPlain(node: Node): boolean {
  const isOne = (name: string): boolean => (numberOf(node, name) ?? 1) === 1;
  return !numberOf(node, 'transA') && isOne('alpha') && isOne('beta');
}

function numberOf(node: Node, name: string): number | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' || attribute?.kind === 'float' ? attribute.value : undefined;
}

/** A lookup of rows of a constant table [V, d]. */
export interface Lookup {
  readonly node: Node;
  readonly table: Tensor;
}

/** Lookups in float32 tables. */
export function lookups(graph: Graph): readonly Lookup[] {
  return [...graph.nodes].flatMap((node) => {
    const table = graph.initializers.get(node.inputs[0] ?? '');
    const isLookup = node.opType === 'Gather' && node.domain === '' && (numberOf(node, 'axis') ?? 0) === 0;
    const isTable = table?.dims.length === 2 && table.dataType === DataType.float32;
    return isLookup && isTable ? [{ node, table }] : [];
  });
}

/** [rows, columns] → [columns, rows] */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column] ?? 0;
  return result;
}

/** Adds a constant to a graph; returns its name. */
export function addTensor(
  graph: Graph,
  name: string,
  dataType: number,
  dims: readonly number[],
  values: ArrayBufferView,
): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  graph.initializers.set(name, { name, dataType, dims, data: { kind: 'bytes', bytes } });
  return name;
}

/** Reads all weights into memory, so that the graph can be written as one file. */
export function loadWeights(graph: Graph): void {
  for (const [name, tensor] of graph.initializers)
    if (tensor.data.kind === 'file')
      graph.initializers.set(name, { ...tensor, data: { kind: 'bytes', bytes: tensorBytes(tensor) } });
}

/** Lets a product alone read other values of its weight, in the layout that the weight is stored in. */
export function replaceWeight(graph: Graph, product: WeightProduct, values: Float32Array): void {
  const { node, weight, inner, outer } = product;
  const isTransposed = numberOf(node, 'transB') === 1;
  const stored = isTransposed ? transposed(values, inner, outer) : values;
  const dims = isTransposed ? [outer, inner] : [inner, outer];
  const name = addTensor(graph, graph.fresh(weight), DataType.float32, dims, stored);
  graph.setInputs(
    node,
    node.inputs.map((input, index) => (index === 1 ? name : input)),
  );
}

/** Lets a lookup alone read other values of its table. */
export function replaceTable(graph: Graph, { node, table }: Lookup, values: Float32Array): void {
  const name = addTensor(graph, graph.fresh(table.name), DataType.float32, table.dims, values);
  graph.setInputs(node, [name, ...node.inputs.slice(1)]);
}

/** Values of a float32 constant. */
export function weightValues(tensor: Tensor): Float32Array {
  return Float32Array.from(tensorValues(tensor));
}
