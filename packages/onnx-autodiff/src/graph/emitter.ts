import { InvalidInputError, MalformedModelError } from '../errors.js';
import type { Graph } from './graph.js';
import { int64Array } from './integers.js';
import { DataType, type Attribute, type Node, type ValueInfo } from './types.js';

/** Value of an attribute: a whole number, whole numbers, a text, or a float. */
export type AttributeValue = number | readonly number[] | string | { readonly float: number };

/** ONNX attributes from plain values: whole numbers and arrays are ints, `{float}` is a float. */
export function attributes(values: Readonly<Record<string, AttributeValue>>): Map<string, Attribute> {
  const map = new Map<string, Attribute>();
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'number') map.set(name, { kind: 'int', value });
    else if (typeof value === 'string') map.set(name, { kind: 'string', value });
    else if ('float' in value) map.set(name, { kind: 'float', value: value.float });
    else map.set(name, { kind: 'ints', value });
  }
  return map;
}

/** Value of an int attribute, with the operator's default. */
export function intAttribute(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : fallback;
}

/** Value of a float attribute, with the operator's default. */
export function floatAttribute(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'float' ? attribute.value : fallback;
}

/** Value of an ints attribute, undefined where it is absent. */
export function intsAttribute(node: Node, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value : undefined;
}

/**
 * Appends operators to a graph; every method returns the name of the tensor it makes. Writes operator set 17 or later
 * (see `canonicalise/opset.ts`) and float32 arithmetic.
 */
export class Emitter {
  readonly #constants = new Map<string, string>();
  readonly #shapes = new Map<string, string>();

  constructor(readonly graph: Graph) {}

  /** Any operator with any number of outputs; returns their names. */
  node(
    opType: string,
    inputs: readonly string[],
    attributeValues: Readonly<Record<string, AttributeValue>> = {},
    { outputs = 1, domain = '' }: { outputs?: number; domain?: string } = {},
  ): readonly string[] {
    const names = Array.from({ length: outputs }, () => this.graph.fresh(opType));
    this.graph.add({ opType, domain, inputs, outputs: names, attributes: attributes(attributeValues) });
    return names;
  }

  /** One operator of the standard domain with one output. */
  op(
    opType: string,
    inputs: readonly string[],
    values: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    return this.node(opType, inputs, values)[0] ?? '';
  }

  /** Gives a tensor another name, as graph outputs need it. */
  alias(from: string, to: string): void {
    this.graph.add({ opType: 'Identity', domain: '', inputs: [from], outputs: [to], attributes: new Map() });
  }

  /** a + b, broadcast as numpy does. */
  add(a: string, b: string): string {
    return this.op('Add', [a, b]);
  }
  /** a − b, broadcast. */
  sub(a: string, b: string): string {
    return this.op('Sub', [a, b]);
  }
  /** a · b, broadcast. */
  mul(a: string, b: string): string {
    return this.op('Mul', [a, b]);
  }
  /** a / b, broadcast. */
  div(a: string, b: string): string {
    return this.op('Div', [a, b]);
  }
  /** −a. */
  neg(a: string): string {
    return this.op('Neg', [a]);
  }
  /** Product with a number. */
  scale(a: string, factor: number): string {
    return factor === 1 ? a : this.mul(a, this.float(factor));
  }
  /** The same values in another element type, a {@link DataType}. */
  cast(a: string, to: number): string {
    return this.op('Cast', [a], { to });
  }

  /** A float32 scalar constant. */
  float(value: number): string {
    return this.#constant(`f${value}`, DataType.float32, [], Float32Array.of(value));
  }
  /** A float32 constant of a shape. */
  floats(values: Float32Array, dims: readonly number[]): string {
    const name = this.graph.fresh('constant');
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.graph.initializers.set(name, {
      name,
      dims,
      dataType: DataType.float32,
      data: { kind: 'bytes', bytes },
    });
    return name;
  }
  /** A one-dimensional int64 constant. */
  ints(...values: readonly number[]): string {
    return this.#constant(`i${values.join()}`, DataType.int64, [values.length], this.#whole(values));
  }
  /** An int64 scalar constant. */
  int(value: number): string {
    return this.#constant(`s${value}`, DataType.int64, [], this.#whole([value]));
  }

  /** Shape of a tensor, int64 [rank]; one node per tensor. */
  shape(tensor: string): string {
    let shape = this.#shapes.get(tensor);
    if (shape === undefined) {
      shape = this.op('Shape', [tensor]);
      this.#shapes.set(tensor, shape);
    }
    return shape;
  }
  /** Extents of some axes, int64 [axes]. */
  extents(tensor: string, ...axes: readonly number[]): string {
    return this.op('Gather', [this.shape(tensor), this.ints(...axes)]);
  }
  /** Number of elements along some axes as a float32 scalar. */
  count(tensor: string, axes: readonly number[]): string {
    return this.cast(this.#reduce('ReduceProd', this.extents(tensor, ...axes), [0], 0), DataType.float32);
  }

  /** New axes of extent 1 at these places of the result. */
  unsqueeze(tensor: string, axes: readonly number[]): string {
    return this.op('Unsqueeze', [tensor, this.ints(...axes)]);
  }
  /** Takes out axes of extent 1. */
  squeeze(tensor: string, axes: readonly number[]): string {
    return this.op('Squeeze', [tensor, this.ints(...axes)]);
  }
  /** In the shape that an int64 tensor holds. */
  reshape(tensor: string, shape: string): string {
    return this.op('Reshape', [tensor, shape]);
  }
  /** Axis i of the result is axis perm[i]. */
  transpose(tensor: string, perm: readonly number[]): string {
    return this.op('Transpose', [tensor], { perm });
  }
  /** One after another along an axis. */
  concat(tensors: readonly string[], axis: number): string {
    return this.op('Concat', tensors, { axis });
  }
  /** Sums along axes. */
  reduceSum(tensor: string, axes: readonly number[], keepdims: 0 | 1): string {
    return this.op('ReduceSum', [tensor, this.ints(...axes)], { keepdims });
  }
  /** Means along axes. */
  reduceMean(tensor: string, axes: readonly number[], keepdims: 0 | 1): string {
    return this.#reduce('ReduceMean', tensor, axes, keepdims);
  }
  /** Largest values along axes. */
  reduceMax(tensor: string, axes: readonly number[], keepdims: 0 | 1): string {
    return this.#reduce('ReduceMax', tensor, axes, keepdims);
  }
  /** Smallest values along axes. */
  reduceMin(tensor: string, axes: readonly number[], keepdims: 0 | 1): string {
    return this.#reduce('ReduceMin', tensor, axes, keepdims);
  }
  /** Float32 zeros in the shape of a tensor. */
  zerosLike(tensor: string): string {
    return this.op('Expand', [this.float(0), this.shape(tensor)]);
  }
  /** com.microsoft FusedMatMul: alpha · op(a) op(b). */
  fusedMatMul(a: string, b: string, transA: 0 | 1, transB: 0 | 1, alpha = 1): string {
    const values = { transA, transB, alpha: { float: alpha } };
    return this.node('FusedMatMul', [a, b], values, { domain: 'com.microsoft' })[0] ?? '';
  }

  /**
   * Declares a graph input.
   * @throws InvalidInputError if the graph has a tensor of that name already.
   */
  input(info: ValueInfo): string {
    this.#refuseDuplicate(info.name);
    this.graph.inputs.set(info.name, info);
    return info.name;
  }
  /**
   * Declares a graph output; gives the tensor that name where it has another.
   * @throws InvalidInputError if the graph has another tensor of that name already.
   */
  output(name: string, tensor = name, dataType: number = DataType.float32): void {
    if (tensor !== name) {
      this.#refuseDuplicate(name);
      this.alias(tensor, name);
    }
    this.graph.outputs.set(name, { name, dataType, dims: undefined });
  }

  #whole(values: readonly number[]): BigInt64Array {
    const odd = values.find((value) => !Number.isInteger(value));
    if (odd === undefined) return int64Array(values);
    throw new MalformedModelError({
      subject: this.graph.source,
      problem: `an extent or an axis comes out as ${odd}`,
      remedy: 'Attributes of an operator do not fit its shapes; export the model again',
    });
  }

  #refuseDuplicate(name: string): void {
    if (!this.graph.has(name)) return;
    throw new InvalidInputError({
      subject: `${this.graph.source}, tensor ${name}`,
      problem: 'the graph has a tensor of this name already, and the gradient needs the name',
      remedy: 'Rename it in the model',
    });
  }

  /** Reductions other than ReduceSum take their axes as an attribute before operator set 18, as an input since. */
  #reduce(opType: string, tensor: string, axes: readonly number[], keepdims: 0 | 1): string {
    if (this.graph.opset >= 18) return this.op(opType, [tensor, this.ints(...axes)], { keepdims });
    return this.op(opType, [tensor], { axes, keepdims });
  }

  #constant(key: string, dataType: number, dims: readonly number[], values: ArrayBufferView): string {
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = this.graph.fresh('constant');
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      this.graph.initializers.set(name, { name, dims, dataType, data: { kind: 'bytes', bytes } });
      this.#constants.set(key, name);
    }
    return name;
  }
}
