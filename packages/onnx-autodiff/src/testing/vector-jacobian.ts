import { differentiate, type DifferentiateOptions } from '../differentiate.js';
import type { Emitter } from '../graph/emitter.js';
import { elementCount } from '../graph/tensor-data.js';
import { DataType } from '../graph/types.js';
import { float32, floatsOf, type TensorValue } from '../session/tensor-value.js';
import { buildModel, tensorOf } from './models.js';
import { randomFloats } from './random.js';

/** What one run of {@link vectorJacobian} gives. */
export interface VectorJacobian {
  readonly y: Float32Array;
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

/**
 * Output `y` of a small model and the gradients of Σ y · upstream, with a random upstream, with respect to all its inputs.
 * @param build emits the model on declared inputs and returns y, whose shape is `dims`.
 */
export async function vectorJacobian(
  build: (emit: Emitter) => string,
  feeds: Readonly<Record<string, TensorValue>>,
  dims: readonly number[],
  options: Partial<DifferentiateOptions> = {},
): Promise<VectorJacobian> {
  const model = buildModel((emit) => {
    for (const [name, value] of Object.entries(feeds))
      emit.input({ name, dataType: DataType.float32, dims: value.dims });
    emit.output('y', build(emit));
  });
  const withRespectTo = Object.keys(feeds);
  const objective = { kind: 'vector-jacobian', output: 'y' } as const;
  const session = await differentiate(model, { withRespectTo, objective, threads: 1, ...options });
  try {
    const upstream = float32(randomFloats(99, elementCount(dims)), dims);
    const { outputs, gradients } = await session.run({ ...feeds, upstream });
    const all = Object.entries(gradients).map(([name, value]) => [name, floatsOf(value)] as const);
    return { y: floatsOf(outputs.y), gradients: Object.fromEntries(all) };
  } finally {
    await session.release();
  }
}

/** Adds a constant of any element type; returns its name. */
export function addConstant(
  emit: Emitter,
  dataType: number,
  dims: readonly number[],
  values: ArrayBufferView,
): string {
  const name = emit.graph.fresh('constant');
  emit.graph.initializers.set(name, tensorOf(name, dataType, dims, values));
  return name;
}

/** ⟨a, b⟩ / (‖a‖ ‖b‖) */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [product, squareOfA, squareOfB] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const [left = 0, right = 0] = [a[index], b[index]];
    product += left * right;
    squareOfA += left ** 2;
    squareOfB += right ** 2;
  }
  return product / Math.sqrt(squareOfA * squareOfB);
}
