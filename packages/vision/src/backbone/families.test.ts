import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FrozenBackbone, ParameterSet } from '@dynaprompt/core';
import { openVisionBackbone } from '../open-vision-backbone.js';
import {
  pictureOf,
  runFile,
  temporaryFolder,
  VISION_MODELS,
  WIDTH,
  writeFixture,
  PATCHES,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import {
  along,
  at,
  crossEntropy,
  derivative,
  distance,
  hardGates,
  inner,
  normals,
  planOf,
  rightDerivative,
} from '../testing/plans.js';
import type { VisionExample } from './example.js';

const SLOTS = 4;
const CLASSES = 3;
const BATCH = 3;
const examples = ['a', 'b', 'c'].map((name) => pictureOf(name));
const labels = [2, 0, 1];
const batch = { examples, labels: Int32Array.from(labels) };
const { folder, remove } = temporaryFolder();
afterAll(remove);

/** Mean over rows from `first` on of states [B, T, d]. */
function meanRows(states: Float32Array, first: number): Float32Array {
  const rows = states.length / BATCH / WIDTH;
  return Float32Array.from({ length: BATCH * WIDTH }, (_, index) => {
    const [example, column] = [Math.floor(index / WIDTH), index % WIDTH];
    let sum = 0;
    for (let row = first; row < rows; row++) sum += at(states, (example * rows + row) * WIDTH + column);
    return sum / (rows - first);
  });
}

/** Row 0 of states [B, T, d]. */
function firstRows(states: Float32Array): Float32Array {
  const size = states.length / BATCH;
  return states.filter((_, index) => index % size < WIDTH);
}

describe.each(Object.entries<FixtureModel>(VISION_MODELS))('%s', (name, fixture) => {
  let backbone: FrozenBackbone<VisionExample>;
  let head: ParameterSet;
  const location = join(folder, name);
  const prompts = normals('prompts', BATCH * SLOTS * WIDTH, 0.5);
  const deep = normals('deep', BATCH * SLOTS * WIDTH, 0.5);
  const parts = { batch: BATCH, slots: SLOTS, width: WIDTH, prompts };
  const none = { position: false, gates: false };

  beforeAll(async () => {
    writeFixture(location, fixture);
    backbone = await openVisionBackbone(location, {
      threads: 1,
      reserve: SLOTS,
      head: { kind: 'linear', classes: CLASSES },
    });
    head = headedOf(backbone.initialHead(1), normals('weight', CLASSES * WIDTH, 0.4));
  });
  afterAll(() => backbone.release());

  it('without prompts gives what the unchanged file gives', async () => {
    const inside = [fixture.hidden, ...(fixture.pooled === undefined ? [] : [fixture.pooled])];
    const states = await runFile(join(location, fixture.file), examples, inside);
    const hidden = states[fixture.hidden] ?? new Float32Array();
    expect(hidden).toHaveLength(BATCH * (PATCHES + fixture.special) * WIDTH);
    const own = fixture.pooled === undefined ? undefined : states[fixture.pooled];
    const pooled = own ?? firstRows(hidden);
    expect(distance(await backbone.pooled(examples), pooled)).toBeLessThan(1e-5);
    const features = own ?? meanRows(hidden, fixture.special);
    expect(distance(await backbone.features(examples), features)).toBeLessThan(1e-5);
    const weight = head.get('head.weight')?.values ?? new Float32Array();
    const logits = Array.from({ length: BATCH * CLASSES }, (_, index) => {
      const [row, label] = [Math.floor(index / CLASSES), index % CLASSES];
      return inner(
        pooled.subarray(row * WIDTH, (row + 1) * WIDTH),
        weight.subarray(label * WIDTH, (label + 1) * WIDTH),
      );
    });
    expect(distance(await backbone.predict(examples, undefined, head), logits)).toBeLessThan(1e-5);
    expect(backbone.lengthOf(examples[0] ?? pictureOf('a'))).toBe(PATCHES + fixture.special);
    expect(backbone.description).toMatchObject({ family: fixture.family, layers: 2 });
  });

  it('has the gradients of prompts, deep prompts and head that finite differences say', async () => {
    const plan = planOf({ ...parts, deep, choice: [4, 1, 2] });
    const step = await backbone.differentiate(batch, plan, head, none);
    const logits = await backbone.predict(examples, plan, head);
    expect(distance(step.logits, logits)).toBeLessThan(1e-5);
    expect(Math.abs(step.loss - crossEntropy(logits, labels))).toBeLessThan(1e-5);
    const loss = async (
      tensors: Partial<typeof parts & { deep: Float32Array }>,
      weights = head,
    ): Promise<number> =>
      crossEntropy(
        await backbone.predict(examples, planOf({ ...parts, deep, choice: [4, 1, 2], ...tensors }), weights),
        labels,
      );
    const weight = head.get('head.weight')?.values ?? new Float32Array();
    const checks: [ArrayLike<number>, (direction: Float32Array, h: number) => Promise<number>, number][] = [
      [step.plan.prompts, (direction, h) => loss({ prompts: along(prompts, direction, h) }), prompts.length],
      [step.plan.deep ?? [], (direction, h) => loss({ deep: along(deep, direction, h) }), deep.length],
      [
        step.head.get('head.weight') ?? [],
        (direction, h) => loss({}, headedOf(head, along(weight, direction, h))),
        weight.length,
      ],
    ];
    for (const [gradient, moved, count] of checks) {
      for (const seed of ['one', 'two']) {
        const direction = normals(seed, count);
        const numeric = await derivative((h) => moved(direction, h), 0.03);
        expect(Math.abs(inner(gradient, direction) - numeric)).toBeLessThan(0.002 * Math.abs(numeric) + 2e-4);
      }
    }
  });

  it('with tokens off is the physically shorter prompt, of each example its own', async () => {
    const active = [2, 4, 0];
    const gates = hardGates(active, SLOTS);
    const gated = planOf({ ...parts, deep, choice: [1, 3, 4], gates });
    const logits = await backbone.predict(examples, gated, head);
    for (const [index, example] of examples.entries()) {
      const slots = at(active, index);
      const first = index * SLOTS * WIDTH;
      const shorter = planOf({
        batch: 1,
        slots,
        width: WIDTH,
        prompts: prompts.slice(first, first + slots * WIDTH),
        deep: deep.slice(first, first + slots * WIDTH),
        choice: [Math.min(at([1, 3, 4], index), slots)],
      });
      const alone = await backbone.predict([example], slots === 0 ? undefined : shorter, head);
      expect(distance(logits.subarray(index * CLASSES, (index + 1) * CLASSES), alone)).toBeLessThan(1e-5);
    }
    const step = await backbone.differentiate(batch, gated, head, { position: false, gates: true });
    expect(distance(step.logits, logits)).toBeLessThan(1e-5);
    const all = await backbone.predict(examples, planOf({ ...parts, deep, choice: [1, 3, 4] }), head);
    expect(distance(logits, all)).toBeGreaterThan(1e-3);
  });

  it('has the gradients of gates at 0 and 1 that finite differences say', async () => {
    const gates = Float32Array.from(hardGates([2, 4, 0], SLOTS));
    const at0and1 = (changed: Float32Array): ReturnType<typeof planOf> =>
      planOf({ ...parts, choice: [1, 3, 4], gates: changed });
    const request = { position: false, gates: true };
    const step = await backbone.differentiate(batch, at0and1(gates), head, request);
    const analytic = step.plan.gates ?? new Float32Array();
    expect(Math.max(...analytic.map(Math.abs))).toBeGreaterThan(1e-3);
    for (const [index, gate] of gates.entries()) {
      const moved = async (h: number): Promise<number> => {
        const changed = gates.slice();
        changed[index] = gate + h;
        const { logits } = await backbone.differentiate(batch, at0and1(changed), head, request);
        return crossEntropy(logits, labels);
      };
      const numeric = gate === 1 ? await derivative(moved, 0.1) : await rightDerivative(moved, 0.1);
      expect(Math.abs(at(analytic, index) - numeric)).toBeLessThan(0.01 * Math.abs(numeric) + 1e-4);
    }
  });

  it(`${fixture.hasPositions ? 'tells' : 'does not tell'} where a prompt stands`, async () => {
    const standing = async (
      mode: 'split' | 'insert',
      candidates: number,
      choice: number,
    ): Promise<Float32Array> => {
      const plan = planOf({ ...parts, mode, candidates, choice: [choice, choice, choice] });
      return backbone.predict(examples, plan, head);
    };
    const front = await standing('insert', 5, 0);
    expect(distance(front, await standing('split', SLOTS + 1, SLOTS))).toBeLessThan(1e-6);
    for (const moved of [
      await standing('insert', 5, 2),
      await standing('insert', 5, 4),
      await standing('split', 5, 1),
    ]) {
      if (fixture.hasPositions) expect(distance(front, moved)).toBeGreaterThan(1e-3);
      else expect(distance(front, moved)).toBeLessThan(1e-5);
    }
    const asked = backbone.differentiate(batch, planOf(parts), head, { position: true, gates: false });
    if (fixture.hasPositions) expect((await asked).plan.position).toHaveLength(BATCH * (SLOTS + 1));
    else await expect(asked).rejects.toThrow('no position embeddings');
  });

  it('gives an example the same logits whatever else is in the batch', async () => {
    const plan = planOf({ ...parts, choice: [4, 1, 2] });
    const together = await backbone.predict(examples, plan, head);
    for (const [index, example] of examples.entries()) {
      const rows = prompts.slice(index * SLOTS * WIDTH, (index + 1) * SLOTS * WIDTH);
      const alone = planOf({ ...parts, batch: 1, prompts: rows, choice: [at([4, 1, 2], index)] });
      const logits = await backbone.predict([example], alone, head);
      expect(distance(together.subarray(index * CLASSES, (index + 1) * CLASSES), logits)).toBeLessThan(1e-5);
    }
  });

  function headedOf(from: ParameterSet, values: Float32Array): ParameterSet {
    return new Map([...from, ['head.weight', { shape: [CLASSES, WIDTH], values }]]);
  }
});
