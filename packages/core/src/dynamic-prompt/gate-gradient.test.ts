import { beforeAll, describe, expect, it } from '@jest/globals';
import { selectBackend } from '../backend/select-backend.js';
import type { GradientSet } from '../contracts/tensor.js';
import { createDynamicPrompt } from './dynamic-prompt.js';
import { clipGateGradient } from './gate-gradient.js';

describe('clipGateGradient', () => {
  it('limits inactive tokens to the largest magnitude of the active ones, in both directions', () => {
    const gates = Float32Array.of(1, 1, 0, 0, 1, 0, 0, 0);
    const gradient = Float32Array.of(0.5, -2, 9000, 1.5, 0.25, -9000, -1, 0);
    expect([...clipGateGradient(gradient, gates)]).toEqual([0.5, -2, 2, 1.5, 0.25, -2, -1, 0]);
  });

  it('keeps the derivatives where no token is active, and where all are', () => {
    const gradient = Float32Array.of(9000, -3);
    expect(clipGateGradient(gradient, Float32Array.of(0, 0))).toEqual(gradient);
    expect(clipGateGradient(gradient, Float32Array.of(1, 1))).toEqual(gradient);
  });
});

describe('length.gateGradient', () => {
  beforeAll(async () => {
    await selectBackend();
  });

  const [slots, width] = [3, 4];
  const backward = async (gateGradient: 'derivative' | 'clipped', gates: number[]): Promise<GradientSet> => {
    const prompt = await createDynamicPrompt(
      {
        slots,
        length: { level: 'task', initial: 1, gateGradient },
        initialisation: { kind: 'uniform' },
      },
      { width, seed: 1 },
    );
    return prompt.plan(undefined, 1, { training: false }).backward({
      prompts: new Float32Array(slots * width).fill(1),
      position: undefined,
      gates: Float32Array.from(gates),
    });
  };

  it('clips only where asked, and only what the length learns from', async () => {
    const raw = [0.5, -8000, 0.125];
    const limited = [0.5, -0.5, 0.125];
    expect(await backward('clipped', raw)).toEqual(await backward('derivative', limited));
    const exact = await backward('derivative', raw);
    expect(exact.get('length.bias')).not.toEqual((await backward('clipped', raw)).get('length.bias'));
    expect(exact.get('representation.prompt')).toEqual(new Float32Array(slots * width).fill(1));
  });
});
