import { describe, expect, it } from '@jest/globals';
import { differentiate, prepareGraph } from '../differentiate.js';
import { attributes as attributeMap, type AttributeValue } from '../graph/emitter.js';
import { Graph } from '../graph/graph.js';
import { DataType, type Attribute } from '../graph/types.js';
import { openSession } from '../session/session.js';
import { float32, floatsOf } from '../session/tensor-value.js';
import { withDoubleForward, type DoubleFunction } from './double-precision.js';
import { compareGradients, declareOperands, singleFeeds, type Operand } from './gradient-cases.js';
import { buildGraph, evaluate, relativeError } from './models.js';

/** One node that onnxruntime has a kernel for, and that is decomposed before differentiation. */
export interface DecompositionCase {
  readonly operands: Readonly<Record<string, Operand>>;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly options: DecompositionOptions;
}

export interface DecompositionOptions {
  readonly opset?: number;
  /** Element types of the outputs that are asked for, '' for one that is left out; one float32 by default. */
  readonly outputs?: readonly (number | '')[];
  /** Attributes that are no plain values. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Which elements of the first output onnxruntime says something sensible about; all by default. */
  readonly isCompared?: (element: number) => boolean;
  /** How many of the outputs are compared; all by default. */
  readonly comparedOutputs?: number;
  /** `single` where a kernel of the decomposed form has no float64: coarser differences. */
  readonly precision?: 'double' | 'single';
}

export function decomposed(
  operands: DecompositionCase['operands'],
  attributes: DecompositionCase['attributes'] = {},
  options: DecompositionOptions = {},
): DecompositionCase {
  return { operands, attributes, options };
}

/** Relative error against onnxruntime's own kernel: both compute in float32. */
const VALUE_TOLERANCE = 1e-5;

/** Compares outputs with onnxruntime's kernel, and gradients with differences of the decomposed graph. */
export async function expectDecomposed(operator: string, checked: DecompositionCase): Promise<void> {
  const { options } = checked;
  const separator = operator.lastIndexOf('.');
  const types = options.outputs ?? [DataType.float32];
  const outputs = types.map((type, index) => (type === '' ? '' : `y${index}`));
  let declared: ReturnType<typeof declareOperands> = { names: [], variables: {}, fixed: {} };
  const original = buildGraph((emit) => {
    declared = declareOperands(emit, checked.operands);
    emit.graph.add({
      name: 'the node',
      opType: operator.slice(separator + 1),
      domain: operator.slice(0, Math.max(0, separator)),
      inputs: declared.names,
      outputs,
      attributes: new Map([...attributeMap(checked.attributes), ...Object.entries(options.attributes ?? {})]),
    });
    types.forEach((type, index) => {
      if (type !== '') emit.output(`y${index}`, `y${index}`, type);
    });
  }, options.opset);

  const model = original.serialize();
  const prepared = prepareGraph(model);
  expect([...prepared.nodes].map(({ name }) => name)).not.toContain('the node');
  const feeds = { ...declared.fixed, ...singleFeeds(declared.variables) };
  const [expected, actual] = [await evaluate(Graph.read(model), feeds), await evaluate(prepared, feeds)];
  const isCompared = options.isCompared ?? (() => true);
  for (const name of outputs.slice(0, options.comparedOutputs).filter((output) => output !== '')) {
    expect(actual[name]?.dims).toEqual(expected[name]?.dims);
    const pick = (values: ArrayLike<number | bigint> = []): number[] =>
      Array.from(values, Number).filter((_, index) => name !== 'y0' || isCompared(index));
    expect(relativeError(pick(actual[name]?.data), pick(expected[name]?.data))).toBeLessThan(VALUE_TOLERANCE);
  }
  await checkGradients(model, prepared, declared, options);
}

async function checkGradients(
  model: Uint8Array,
  prepared: Graph,
  declared: ReturnType<typeof declareOperands>,
  { precision = 'double' }: DecompositionOptions,
): Promise<void> {
  const withRespectTo = Object.keys(declared.variables);
  if (withRespectTo.length === 0) return;
  const session = await differentiate(model, {
    withRespectTo,
    objective: { kind: 'vector-jacobian', output: 'y0' },
    threads: 1,
  });
  const forward = prepared.clone();
  for (const output of [...forward.outputs.keys()]) if (output !== 'y0') forward.outputs.delete(output);
  try {
    if (precision === 'double')
      await withDoubleForward(forward, declared.fixed, (double) =>
        compareGradients(session, declared, double),
      );
    else
      await withSingleForward(forward, declared.fixed, (single) =>
        compareGradients(session, declared, single, { tolerance: 5e-3, step: 1e-2 }),
      );
  } finally {
    await session.release();
  }
}

async function withSingleForward(
  graph: Graph,
  fixed: ReturnType<typeof declareOperands>['fixed'],
  use: (forward: DoubleFunction) => Promise<void>,
): Promise<void> {
  const session = await openSession(graph, { optimization: 'disabled', threads: 1 });
  try {
    await use(async (inputs) => {
      const feeds = Object.entries(inputs).map(
        ([name, { data, dims }]) => [name, float32(Float32Array.from(data), dims)] as const,
      );
      const { y0 } = await session.run({ ...fixed, ...Object.fromEntries(feeds) });
      return { dims: y0?.dims ?? [], data: Float64Array.from(floatsOf(y0)) };
    });
  } finally {
    await session.release();
  }
}

/** One test a case; every operator of the table needs one. */
export function describeDecompositions<Operator extends string>(
  title: string,
  table: Readonly<Record<Operator, unknown>>,
  cases: Readonly<Record<Operator, Readonly<Record<string, DecompositionCase>>>>,
): void {
  describe(`decompositions of ${title}`, () => {
    it('has a case for every operator', () => {
      const covered = Object.entries<object>(cases).filter(([, some]) => Object.keys(some).length > 0);
      expect(covered.map(([operator]) => operator).sort()).toEqual(Object.keys(table).sort());
    });
    for (const [operator, some] of Object.entries<Readonly<Record<string, DecompositionCase>>>(cases)) {
      describe(operator, () => {
        for (const [name, checked] of Object.entries(some)) {
          it(name, async () => {
            await expectDecomposed(operator, checked);
          });
        }
      });
    }
  });
}
