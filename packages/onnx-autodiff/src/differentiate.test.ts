import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { differentiate } from './differentiate.js';
import { InvalidInputError, OnnxAutodiffError, RuntimeFailureError } from './errors.js';
import type { Emitter } from './graph/emitter.js';
import { float32, floatsOf, int64 } from './session/tensor-value.js';
import { attentionModel } from './testing/attention-model.js';
import { inFolder } from './testing/files.js';
import { buildModel, distance, floatInput } from './testing/models.js';
import { randomFloats } from './testing/random.js';

const vectorJacobian = { kind: 'vector-jacobian', output: 'y' } as const;
const model = (build: (emit: Emitter) => string): Uint8Array =>
  buildModel((emit) => {
    emit.output('y', build(emit));
  });

describe('differentiate', () => {
  it('gives loss, outputs and gradients of a model file, as of its bytes', async () => {
    const bytes = attentionModel({ layers: 2 });
    await inFolder(async (folder) => {
      const file = join(folder, 'model.onnx');
      writeFileSync(file, bytes);
      const results = [];
      for (const source of [file, bytes]) {
        const session = await differentiate(source, {
          withRespectTo: ['hidden'],
          objective: { kind: 'cross-entropy', output: 'logits' },
        });
        results.push(
          await session.run({
            input_ids: int64([1, 2, 3, 4], [2, 2]),
            attention_mask: int64([1, 1, 1, 0], [2, 2]),
            labels: int64([0, 2], [2]),
          }),
        );
        await session.release();
      }
      const [fromFile, fromBytes] = results;
      expect(fromFile?.loss).toBeCloseTo(fromBytes?.loss ?? Number.NaN, 6);
      expect(Object.keys(fromFile?.outputs ?? {})).toEqual(['hidden', 'logits']);
      expect(fromFile?.gradients.hidden?.dims).toEqual([2, 2, 8]);
      expect(distance(fromFile?.gradients.hidden, fromBytes?.gradients.hidden)).toBeLessThan(1e-6);
    });
  });

  it('gives the same gradients whatever the session options', async () => {
    const bytes = model((emit) => {
      const x = floatInput(emit, 'x', 'batch', 8);
      return emit.op('Tanh', [emit.op('MatMul', [x, emit.floats(randomFloats(1, 64), [8, 8])])]);
    });
    const gradients = [];
    for (const options of [{}, { threads: 1 }, { prepack: false }, { optimization: 'disabled' as const }]) {
      const session = await differentiate(bytes, {
        withRespectTo: ['x'],
        objective: vectorJacobian,
        ...options,
      });
      const feeds = {
        x: float32(randomFloats(2, 16), [2, 8]),
        upstream: float32(randomFloats(3, 16), [2, 8]),
      };
      gradients.push((await session.run(feeds)).gradients.x);
      await session.release();
    }
    for (const gradient of gradients) expect(distance(gradient, gradients[0])).toBeLessThan(1e-6);
  });

  it.each([
    ['a source', ['nowhere'], 'y'],
    ['an output', ['x'], 'nowhere'],
  ])('names %s that the graph does not have, and those it has', async (_name, withRespectTo, output) => {
    const bytes = model((emit) => emit.neg(floatInput(emit, 'x', 1)));
    const failure = await differentiate(bytes, {
      withRespectTo,
      objective: { ...vectorJacobian, output },
    }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InvalidInputError);
    expect(String(failure)).toContain('tensor nowhere');
    expect(String(failure)).toContain('Its inputs are x, its outputs y');
  });

  it.each([
    ['upstream', { kind: 'vector-jacobian', output: 'y' }],
    ['labels', { kind: 'cross-entropy', output: 'y' }],
    ['targets', { kind: 'mean-squared-error', output: 'y' }],
    ['x.gradient', { kind: 'vector-jacobian', output: 'y' }],
    ['loss', { kind: 'cross-entropy', output: 'y' }],
  ] as const)('refuses a model that has a tensor %s of its own', async (name, objective) => {
    const bytes = model((emit) => emit.add(floatInput(emit, 'x', 1, 2), floatInput(emit, name, 1, 2)));
    const failure = await differentiate(bytes, { withRespectTo: ['x'], objective }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(InvalidInputError);
    expect(String(failure)).toContain(`tensor ${name}`);
  });

  it('says that probing failed where extents do not fit each other', async () => {
    const bytes = model((emit) => emit.add(floatInput(emit, 'x', 'a'), floatInput(emit, 'z', 'b')));
    const options = { withRespectTo: ['x'], objective: vectorJacobian };
    await expect(differentiate(bytes, options)).rejects.toThrow(RuntimeFailureError);
    await expect(differentiate(bytes, options)).rejects.toThrow('probeInputs');
    const probe = (n: number): Record<string, ReturnType<typeof float32>> => ({
      x: float32(new Float32Array(n), [n]),
      z: float32(new Float32Array(n), [n]),
    });
    const session = await differentiate(bytes, { ...options, probeInputs: [probe(2), probe(3)] });
    const ones = float32(Float32Array.of(1, 1, 1, 1), [4]);
    const { gradients, loss } = await session.run({ x: ones, z: ones, upstream: ones });
    await session.release();
    expect([...floatsOf(gradients.x)]).toEqual([1, 1, 1, 1]);
    expect(loss).toBeUndefined();
  });
});

describe('errors', () => {
  it('have the name of their class, one line, and their parts', () => {
    const cause = new Error('inner');
    const error = new InvalidInputError({ subject: 'a', problem: 'b', remedy: 'c', cause });
    expect(error).toBeInstanceOf(OnnxAutodiffError);
    expect(error).toMatchObject({
      name: 'InvalidInputError',
      subject: 'a',
      problem: 'b',
      remedy: 'c',
      cause,
    });
    expect(error.message).toBe('@dynaprompt/onnx-autodiff: a: b. c.');
  });
});
