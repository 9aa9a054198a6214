import { beforeAll, describe, expect, it } from '@jest/globals';

import { type ParameterSet, selectBackend } from '@dynaprompt/core';

import type { TrainingEvent } from '../events.js';
import { FeatureCache } from '../features/features.js';
import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { accuracy, toyTask } from '../testing/toy-task.test.fixture.js';
import { methodNamed } from './method.js';
import type { NamedTask } from './run.js';
import { drawTasks } from './task-sampling.js';
import { type MultitaskOptions, trainMultitask } from './train-multitask.js';
import { trainPrompt } from './train-prompt.js';

function task(name: string, seed: number, count: number, isMirrored = false): NamedTask<ToyExample> {
  const backbone = new ToyBackbone();
  const label = (example: { readonly label: number }) => (isMirrored ? 1 - example.label : example.label);
  const examples = (size: number, draw: number) =>
    toyTask(size, draw).map((example) => ({ ...example, label: label(example) }));
  return {
    name,
    backbone,
    train: examples(count, seed),
    validation: examples(40, seed + 100),
    metric: accuracy,
    features: new FeatureCache(backbone, { folder: false }),
  };
}

/** Two tasks that want opposite answers to the same texts: only a head of their own can give them. */
function options(
  method: string,
  changes: Partial<MultitaskOptions<ToyExample>> = {},
): MultitaskOptions<ToyExample> {
  return {
    tasks: [task('plain', 1, 64), task('mirrored', 2, 32, true)],
    method: methodNamed(method, { slots: 4 }),
    seed: 1,
    steps: 50,
    learningRates: { prompt: 0.05, networks: 0.05, head: 0.05 },
    ...changes,
  };
}

function bits(parameters: ParameterSet): Record<string, number[]> {
  return Object.fromEntries([...parameters].map(([name, { values }]) => [name, [...values]]));
}

beforeAll(async () => {
  await selectBackend();
});

describe('trainMultitask', () => {
  it.each(['dynamic', 'fixed', 'frozen', 'adap_pos'])('learns two opposite tasks, %s', async (method) => {
    const result = await trainMultitask(options(method, { steps: 200, sampling: { kind: 'equal' } }));
    const scores = result.tasks.map(({ final }) => final);
    for (const score of scores) expect(score).toBeGreaterThan(0.7);
    expect(result.final).toBeCloseTo(((scores[0] ?? 0) + (scores[1] ?? 0)) / 2, 12);
    expect([...result.parameters.heads.keys()]).toEqual(['plain', 'mirrored']);
    expect([...(result.parameters.heads.get('plain')?.keys() ?? [])]).toEqual(['head.weight', 'head.bias']);
    expect([...result.parameters.prompt.keys()].some((name) => name.includes('head'))).toBe(false);
    // The tasks share what they read, so their heads point in opposite directions.
    const [plain, mirrored] = ['plain', 'mirrored'].map((name) => {
      const { values } = result.parameters.heads.get(name)?.get('head.weight') ?? {
        values: new Float32Array(),
      };
      return values.slice(0, 8).map((value, column) => value - (values[8 + column] ?? 0));
    });
    const product = plain?.reduce((sum, value, column) => sum + value * (mirrored?.[column] ?? 0), 0);
    expect(product).toBeLessThan(0);
  });

  it('gives every step to the task that was drawn', async () => {
    const events: TrainingEvent[] = [];
    const given = options('dynamic', { events: (event) => events.push(event), evaluateEvery: 25 });
    const result = await trainMultitask(given);
    const names = ['plain', 'mirrored'];
    const turns = drawTasks([64, 32], { kind: 'proportional' }, 1, 50).map((turn) => names[turn]);
    expect(events.flatMap((event) => (event.type === 'step' ? [event.task] : []))).toEqual(turns);
    for (const { name, steps, loss, validation } of result.tasks) {
      expect(loss.map(({ step }) => turns[step - 1])).toEqual(new Array(steps).fill(name));
      expect(validation.map(({ step }) => step)).toEqual([25, 50]);
    }
    expect(result.tasks.map(({ steps }) => steps).reduce((sum, steps) => sum + steps)).toBe(50);
    const evaluated = events.findLast((event) => event.type === 'evaluated');
    expect(evaluated?.tasks).toEqual(
      Object.fromEntries(result.tasks.map(({ name, final }) => [name, final])),
    );
    expect(result.loss).toHaveLength(50);
  });

  it('leaves the head and the logits of other tasks alone', async () => {
    const given = options('adap_pos', { steps: 1 });
    const turn = drawTasks([64, 32], { kind: 'proportional' }, 1, 1)[0] ?? 0;
    const result = await trainMultitask(given);
    const initial = bits(new ToyBackbone().initialHead(1));
    const heads = given.tasks.map(({ name }) => bits(result.parameters.heads.get(name) ?? new Map()));
    expect(heads[turn]).not.toEqual(initial);
    expect(heads[1 - turn]).toEqual(initial);
    const logits = result.parameters.prompt.get('position.bias');
    expect(logits?.shape).toEqual([2, 5]);
    const rows = [0, 1].map((row) => [...(logits?.values.subarray(5 * row, 5 * row + 5) ?? [])]);
    expect(rows[turn]).not.toEqual([0, 0, 0, 0, 0]);
    expect(rows[1 - turn]).toEqual([0, 0, 0, 0, 0]);
  });

  it.each(['frozen', 'dynamic', 'adap_pos'])('repeats 50 steps bit for bit, %s', async (method) => {
    const run = async (seed: number) => {
      const { parameters, loss } = await trainMultitask(options(method, { seed }));
      return [bits(parameters.prompt), ...[...parameters.heads.values()].map(bits), loss];
    };
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  it('is trainPrompt where there is one task', async () => {
    const only = task('plain', 1, 64);
    const several = await trainMultitask(options('dynamic', { tasks: [only] }));
    const { tasks, ...rest } = options('dynamic');
    expect(tasks).toHaveLength(2);
    const single = await trainPrompt({ ...rest, ...only });
    expect(bits(several.parameters.prompt)).toEqual(bits(single.parameters.prompt));
    expect(bits(several.parameters.heads.get('plain') ?? new Map())).toEqual(bits(single.parameters.head));
    expect(several.tasks[0]?.final).toBe(single.final);
  });

  it.each<[string, Partial<MultitaskOptions<ToyExample>>, string]>([
    ['no tasks', { tasks: [] }, 'tasks: there are none'],
    ['one name twice', { tasks: [task('a', 1, 8), task('a', 2, 8)] }, 'two tasks have that name'],
    [
      'models of two widths',
      { tasks: [task('a', 1, 8), { ...task('b', 2, 8), backbone: new ToyBackbone({ width: 6 }) }] },
      'backbone of task "b": it is 6 wide',
    ],
    ['fine-tuning', { method: 'fine-tuning' }, 'cannot be shared'],
    ['a task without examples', { tasks: [task('a', 1, 8), task('b', 2, 0)] }, 'b training examples'],
    ['no temperature', { sampling: { kind: 'temperature', temperature: 0 } }, 'sampling.temperature'],
  ])('refuses %s', async (_, changes, message) => {
    await expect(trainMultitask(options('dynamic', changes))).rejects.toThrow(message);
  });
});
