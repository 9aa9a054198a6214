import { expect, it } from '@jest/globals';
import { differentiate } from '../differentiate.js';
import { float32, floatsOf } from '../session/tensor-value.js';
import { buildModel, floatInput } from '../testing/models.js';

it('gives the slope of GELU where its argument is 0, tiny or far out', async () => {
  const model = buildModel((emit) => {
    const x = floatInput(emit, 'x', 'n');
    emit.output('y', emit.node('Gelu', [x], {}, { domain: 'com.microsoft' })[0]);
  });
  const session = await differentiate(model, {
    withRespectTo: ['x'],
    objective: { kind: 'vector-jacobian', output: 'y' },
  });
  const x = Float32Array.of(0, -0, 1e-30, -1e-30, 1e-20, -40, 40, 1);
  const { outputs, gradients } = await session.run({
    x: float32(x, [x.length]),
    upstream: float32(new Float32Array(x.length).fill(1), [x.length]),
  });
  await session.release();
  // Φ(1) + φ(1) = 0.841344746 + 0.241970725
  const expected = [0.5, 0.5, 0.5, 0.5, 0.5, 0, 1, 1.083315471];
  const slopes = floatsOf(gradients.x);
  expected.forEach((slope, index) => {
    expect(slopes[index]).toBeCloseTo(slope, 6);
  });
  expect(floatsOf(outputs.y)[7]).toBeCloseTo(0.841344746, 6);
});
