import { ModelError, PADDING } from '@dynaprompt/core';
import { DataType, float32, int64, type Graph, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from '../common/package-name.js';

/** Input that says which rows are attended. */
const MASK = /mask/i;

/** Inputs beside the content, by a part of their names: what each holds at a place of a row. */
const FILLED: readonly (readonly [name: RegExp, valueAt: (place: number, isPadding: boolean) => number])[] = [
  // Prompt tokens that are off are kept out by a bias of the attention scores.
  [MASK, (_, isPadding) => (isPadding ? 0 : 1)],
  [/token_type|segment/i, () => 0],
  [/position/i, (place) => place],
];

/** @throws ModelError if there are inputs that nothing fills. */
export function checkInputs(graph: Graph, content: string): void {
  const foreign = [...graph.inputs.keys()].filter((name) => name !== content && !fillingOf(name));
  if (foreign.length === 0) return;
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: graph.source,
    problem: `it takes inputs that are not known: ${foreign.join(', ')}`,
    remedy: 'Export it without them, or say in declared-inputs.ts what they hold',
  });
}

/** Whether a model can be told which rows are padding. */
export function takesMask(graph: Graph): boolean {
  return [...graph.inputs.keys()].some((name) => MASK.test(name));
}

/**
 * The inputs beside the content.
 * @param tables [batch, total] what stands where (see `sourceTables` of core).
 */
export function otherInputs(
  graph: Graph,
  content: string,
  tables: Int32Array,
  [batch, total]: readonly [batch: number, total: number],
): Record<string, TensorValue> {
  const names = [...graph.inputs.keys()].filter((name) => name !== content);
  return Object.fromEntries(
    names.map((name) => {
      const valueAt = fillingOf(name) ?? ((): number => 0);
      const values = tables.map((source, place) => valueAt(place % total, source === PADDING));
      return [name, asDeclared(graph, name, values, [batch, total])] as const;
    }),
  );
}

/** Whole numbers in the element type that an input has. */
export function asDeclared(
  graph: Graph,
  name: string,
  values: Int32Array,
  dims: readonly number[],
): TensorValue {
  const { dataType } = graph.inputs.get(name) ?? {};
  if (dataType === DataType.int32) return { type: 'int32', dims, data: values };
  if (dataType === DataType.bool) return { type: 'bool', dims, data: Uint8Array.from(values) };
  if (dataType === DataType.float32) return float32(Float32Array.from(values), dims);
  return int64(values, dims);
}

function fillingOf(name: string): ((place: number, isPadding: boolean) => number) | undefined {
  return FILLED.find(([part]) => part.test(name))?.[1];
}
