import { describe, expect, it } from '@jest/globals';
import { operatorName } from '../activity.js';
import { differentiate, prepareGraph, type GradientSession } from '../differentiate.js';
import type { AttributeValue, Emitter } from '../graph/emitter.js';
import { elementCount } from '../graph/tensor-data.js';
import { DataType, type Tensor } from '../graph/types.js';
import { float32, floatsOf, int64, type TensorValue } from '../session/tensor-value.js';
import {
  centralDifferences,
  withDoubleForward,
  type DoubleFunction,
  type DoubleTensor,
} from './double-precision.js';
import { buildGraph, relativeError, tensorOf } from './models.js';
import { randomFloats } from './random.js';

/** An extent, or `symbol=extent` for one that the graph declares as varying. */
export type Extent = number | string;

/** An operand that a gradient is taken of; `values` or random numbers between two bounds. */
interface Variable {
  readonly kind: 'variable';
  readonly dims: readonly Extent[];
  readonly low: number;
  readonly high: number;
  readonly values?: readonly number[];
}
export type Operand =
  | readonly Extent[]
  | Variable
  | { readonly kind: 'constant'; readonly tensor: Tensor }
  | { readonly kind: 'fed'; readonly dims: readonly Extent[]; readonly value: TensorValue }
  | { readonly kind: 'absent' };

/** A differentiated operand with random values in a range. */
export const between = (low: number, high: number, ...dims: readonly Extent[]): Operand => ({
  kind: 'variable',
  dims,
  low,
  high,
});
/** A differentiated operand with these values. */
export const exactly = (dims: readonly Extent[], ...values: readonly number[]): Operand => ({
  kind: 'variable',
  dims,
  low: 0,
  high: 0,
  values,
});
const constant = (dataType: number, dims: readonly number[], values: ArrayBufferView): Operand => ({
  kind: 'constant',
  tensor: tensorOf('', dataType, dims, values),
});
/** A constant int64 vector. */
export const ints = (...values: readonly number[]): Operand => intTensor([values.length], ...values);
/** A constant int64 tensor. */
export const intTensor = (dims: readonly number[], ...values: readonly number[]): Operand =>
  constant(
    DataType.int64,
    dims,
    BigInt64Array.from(values, (value) => BigInt.asIntN(64, BigInt(value))),
  );
/** A constant int32 tensor. */
export const shortTensor = (dims: readonly number[], ...values: readonly number[]): Operand =>
  constant(DataType.int32, dims, Int32Array.from(values));
/** A constant float32 tensor. */
export const floats = (dims: readonly number[], ...values: readonly number[]): Operand =>
  constant(DataType.float32, dims, Float32Array.from(values));
/** A constant tensor of truth values. */
export const flags = (dims: readonly number[], ...values: readonly number[]): Operand =>
  constant(DataType.bool, dims, Uint8Array.from(values));
/** An int64 tensor that is an input of the graph, so that no rule can know its values. */
export const fed = (dims: readonly Extent[], ...values: readonly number[]): Operand => ({
  kind: 'fed',
  dims,
  value: int64(values, extentsOf(dims)),
});
/** The same as int32. */
export const shortFed = (dims: readonly Extent[], ...values: readonly number[]): Operand => ({
  kind: 'fed',
  dims,
  value: { type: 'int32', dims: extentsOf(dims), data: Int32Array.from(values) },
});
/** The same as truth values. */
export const flagsFed = (dims: readonly Extent[], ...values: readonly number[]): Operand => ({
  kind: 'fed',
  dims,
  value: { type: 'bool', dims: extentsOf(dims), data: Uint8Array.from(values) },
});
/** An optional operand that is left out. */
export const absent: Operand = { kind: 'absent' };

/** A small model, and what its gradient is checked with respect to. */
export interface GradientCase {
  readonly operands: Readonly<Record<string, Operand>>;
  /** Emits the model on the operands' tensor names, in their order; returns the output. */
  readonly build: (emit: Emitter, ...operands: string[]) => string;
  readonly opset: number;
  /** float64 form of the model where onnxruntime has no float64 kernel: applied to every element. */
  readonly scalarFunction?: (x: number) => number;
}

interface CaseOptions {
  readonly opset?: number;
  readonly scalarFunction?: (x: number) => number;
}

/** A model of one operator; `domain.Operator` outside the standard domain. */
export function gradientOf(
  operator: string,
  operands: Readonly<Record<string, Operand>>,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  options: CaseOptions = {},
): GradientCase {
  const separator = operator.lastIndexOf('.');
  const domain = operator.slice(0, Math.max(0, separator));
  const build = (emit: Emitter, ...names: string[]): string =>
    emit.node(operator.slice(separator + 1), names, attributes, { domain })[0] ?? '';
  return { operands, build, opset: 17, ...options };
}

/** A model of several operators. */
export function gradientThrough(
  operands: Readonly<Record<string, Operand>>,
  build: GradientCase['build'],
  options: CaseOptions = {},
): GradientCase {
  return { operands, build, opset: 17, ...options };
}

const TOLERANCE = 1e-5;

/** Operands of a model as its builder sees them. */
interface DeclaredOperands {
  /** Tensor names, '' for absent ones. */
  readonly names: readonly string[];
  /** Values of the operands that a gradient is taken of. */
  readonly variables: Readonly<Record<string, DoubleTensor>>;
  /** Values of the other inputs. */
  readonly fixed: Readonly<Record<string, TensorValue>>;
}

/** Declares the inputs and constants of a model. */
export function declareOperands(
  emit: Emitter,
  operands: Readonly<Record<string, Operand>>,
): DeclaredOperands {
  const variables: Record<string, DoubleTensor> = {};
  const fixed: Record<string, TensorValue> = {};
  const names = Object.entries(operands).map(([name, operand], index) => {
    if (!('kind' in operand) || operand.kind === 'variable') {
      const variable =
        'kind' in operand ? operand : { kind: 'variable' as const, dims: operand, low: -1, high: 1 };
      return declareVariable(emit, name, variable, index, variables);
    }
    if (operand.kind === 'absent') return '';
    if (operand.kind === 'constant') emit.graph.initializers.set(name, { ...operand.tensor, name });
    else {
      fixed[name] = operand.value;
      const dataType = DataType[operand.value.type];
      emit.input({ name, dataType, dims: declaredDims(operand.dims) });
    }
    return name;
  });
  return { names, variables, fixed };
}

/** float32 feeds of differentiated operands. */
export function singleFeeds(
  variables: Readonly<Record<string, DoubleTensor>>,
): Readonly<Record<string, TensorValue>> {
  const feeds = Object.entries(variables).map(
    ([name, value]) => [name, float32(Float32Array.from(value.data), value.dims)] as const,
  );
  return Object.fromEntries(feeds);
}

/**
 * Checks the gradients of a vector-Jacobian product with a random upstream, computed in float32, against central
 * differences of `forward`.
 */
export async function compareGradients(
  session: GradientSession,
  { variables, fixed }: DeclaredOperands,
  forward: DoubleFunction,
  { tolerance = TOLERANCE, step }: { readonly tolerance?: number; readonly step?: number } = {},
): Promise<void> {
  const { dims } = await forward(variables);
  const upstream = randomFloats(1000, elementCount(dims));
  const { gradients } = await session.run({
    ...fixed,
    ...singleFeeds(variables),
    upstream: float32(upstream, dims),
  });
  for (const name of Object.keys(variables)) {
    const expected = await centralDifferences(forward, variables, name, upstream, step);
    expect(gradients[name]?.dims).toEqual(variables[name]?.dims);
    expect(relativeError(floatsOf(gradients[name]), expected)).toBeLessThan(tolerance);
  }
}

/**
 * Checks the gradients of a case against central differences in float64.
 * @returns operators of the graph that was differentiated.
 */
export async function expectGradient(checked: GradientCase): Promise<ReadonlySet<string>> {
  let declared: DeclaredOperands = { names: [], variables: {}, fixed: {} };
  const graph = buildGraph((emit) => {
    declared = declareOperands(emit, checked.operands);
    emit.output('y', checked.build(emit, ...declared.names));
  }, checked.opset);
  const withRespectTo = Object.keys(declared.variables);
  const model = graph.serialize();
  const session = await differentiate(model, {
    withRespectTo,
    objective: { kind: 'vector-jacobian', output: 'y' },
    threads: 1,
  });
  const check = (forward: DoubleFunction): Promise<void> => compareGradients(session, declared, forward);
  try {
    const { scalarFunction } = checked;
    if (scalarFunction) {
      const [name = ''] = withRespectTo;
      await check((inputs) => {
        const { dims = [], data = new Float64Array() } = inputs[name] ?? {};
        return Promise.resolve({ dims, data: data.map(scalarFunction) });
      });
    } else await withDoubleForward(graph, declared.fixed, check);
  } finally {
    await session.release();
  }
  return new Set([...prepareGraph(model).nodes].map(operatorName));
}

/** Extents of `symbol=extent` dimensions. */
function extentsOf(dims: readonly Extent[]): number[] {
  return dims.map((extent) => Number(String(extent).split('=').at(-1)));
}

/** The same as the graph declares them: symbols where there are any. */
function declaredDims(dims: readonly Extent[]): (number | string)[] {
  return dims.map((extent) => {
    const [symbol = '', value] = String(extent).split('=');
    return value === undefined ? Number(symbol) : symbol;
  });
}

function declareVariable(
  emit: Emitter,
  name: string,
  { dims, low, high, values }: Variable,
  seed: number,
  into: Record<string, DoubleTensor>,
): string {
  const extents = extentsOf(dims);
  const data = values ? Float32Array.from(values) : randomFloats(seed + 1, elementCount(extents), low, high);
  into[name] = { dims: extents, data: Float64Array.from(data) };
  return emit.input({ name, dataType: DataType.float32, dims: declaredDims(dims) });
}

/**
 * One test a case. Every operator of the rules needs one: a missing one is a type error, and a failing test.
 * @param rules the table under test, or a part of it.
 */
export function describeGradients<Operator extends string>(
  title: string,
  rules: Readonly<Record<Operator, unknown>>,
  cases: Readonly<Record<Operator, Readonly<Record<string, GradientCase>>>>,
): void {
  describe(`gradients of ${title}`, () => {
    it('has a case for every rule', () => {
      const covered = Object.entries<object>(cases).filter(([, some]) => Object.keys(some).length > 0);
      expect(covered.map(([operator]) => operator).sort()).toEqual(Object.keys(rules).sort());
    });
    for (const [operator, some] of Object.entries<Readonly<Record<string, GradientCase>>>(cases)) {
      describe(operator, () => {
        for (const [name, checked] of Object.entries(some)) {
          it(name, async () => {
            expect(await expectGradient(checked)).toContain(operator);
          });
        }
      });
    }
  });
}
