import { describe, expect, it } from '@jest/globals';
import { differentiate } from '../differentiate.js';
import { UnsupportedOperatorError } from '../errors.js';
import type { AttributeValue } from '../graph/emitter.js';
import { Graph } from '../graph/graph.js';
import { openSession } from '../session/session.js';
import { float32, floatsOf, type TensorValue } from '../session/tensor-value.js';
import { buildModel, floatInput, relativeError } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';

type Shapes = Readonly<Record<string, readonly number[]>>;

/**
 * onnxruntime has no float64 convolution to take differences of. A convolution is linear in each operand, so the gradient of
 * Σ y · upstream with respect to element i is (its value with element i one higher) − (its value).
 */
async function expectGradients(
  shapes: Shapes,
  values: Readonly<Record<string, AttributeValue>> = {},
  withRespectTo: readonly string[] = Object.keys(shapes),
): Promise<void> {
  const names = Object.keys(shapes);
  const model = buildModel((emit) => {
    for (const [name, dims] of Object.entries(shapes))
      floatInput(emit, name, ...dims.map((extent, axis) => (name === 'x' ? `x.${axis}` : extent)));
    emit.output('y', emit.op('Conv', names, values));
  }, 17);
  const size = (dims: readonly number[]): number => dims.reduce((product, extent) => product * extent, 1);
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, dims], seed) => [
      name,
      float32(randomFloats(seed + 1, size(dims)), dims),
    ]),
  );
  const probes = [1, 2].map((extra) => {
    const [batch = 0, channels = 0, ...spatial] = shapes.x ?? [];
    const dims = [batch + extra, channels, ...spatial.map((extent) => extent + extra)];
    return { ...feeds, x: float32(new Float32Array(size(dims)), dims) };
  });
  const session = await differentiate(model, {
    withRespectTo,
    objective: { kind: 'vector-jacobian', output: 'y' },
    probeInputs: probes as unknown as readonly [Record<string, TensorValue>, Record<string, TensorValue>],
  });
  const forward = await openSession(Graph.read(model));
  const output = async (inputs: Record<string, TensorValue>): Promise<TensorValue> => {
    const { y } = await forward.run(inputs);
    if (!y) throw new Error('no output');
    return y;
  };
  const { dims } = await output(feeds);
  const upstream = randomFloats(9, size(dims));
  const inner = (value: TensorValue): number =>
    floatsOf(value).reduce((sum, element, index) => sum + element * (upstream[index] ?? 0), 0);
  const { gradients } = await session.run({ ...feeds, upstream: float32(upstream, dims) });
  const base = inner(await output(feeds));
  for (const name of withRespectTo) {
    const value = feeds[name] ?? float32(new Float32Array(), [0]);
    const expected = new Float32Array(value.data.length);
    for (let index = 0; index < expected.length; index++) {
      const data = floatsOf(value).slice();
      data[index] = (data[index] ?? 0) + 1;
      expected[index] = inner(await output({ ...feeds, [name]: float32(data, value.dims) })) - base;
    }
    expect(gradients[name]?.dims).toEqual(value.dims);
    expect(relativeError(floatsOf(gradients[name]), expected)).toBeLessThan(1e-5);
  }
  await session.release();
  await forward.release();
}

describe('gradients of convolutions', () => {
  it.each<[string, Shapes, Record<string, AttributeValue>]>([
    ['patches', { x: [2, 3, 4, 4], w: [5, 3, 2, 2], b: [5] }, { strides: [2, 2] }],
    ['patches that leave a rest', { x: [1, 2, 5, 6], w: [3, 2, 2, 4] }, { strides: [2, 4] }],
    ['one axis with padding', { x: [2, 3, 6], w: [4, 3, 3], b: [4] }, { pads: [1, 1] }],
    ['unequal padding', { x: [1, 2, 4, 5], w: [2, 2, 3, 2] }, { pads: [0, 2, 1, 1] }],
    ['dilation', { x: [1, 2, 8], w: [3, 2, 3] }, { dilations: [2], strides: [2], pads: [1, 0] }],
    ['no padding by name', { x: [1, 1, 4], w: [1, 1, 2] }, { auto_pad: 'VALID' }],
  ])('%s', async (_name, shapes, values) => {
    await expectGradients(shapes, values);
  });

  it('groups, with respect to the input', async () => {
    await expectGradients({ x: [2, 4, 5], w: [6, 2, 3] }, { group: 2, pads: [1, 1] }, ['x']);
  });

  it.each<[string, Record<string, AttributeValue>, Shapes]>([
    ['padding by auto_pad', { auto_pad: 'SAME_UPPER' }, { x: [1, 1, 4], w: [1, 1, 2] }],
    ['the weights of groups', { group: 2 }, { x: [1, 2, 4], w: [2, 1, 2] }],
  ])('refuses %s', async (_name, values, shapes) => {
    await expect(expectGradients(shapes, values)).rejects.toThrow(UnsupportedOperatorError);
  });
});
