import { beforeAll, describe, expect, it } from '@jest/globals';
import { selectBackend } from '../backend/select-backend.js';
import type { PromptConfigurationInput } from '../configuration.js';
import { ConfigurationError } from '../errors.js';
import { createAdamW } from '../optimisers/adamw.js';
import { stream } from '../random/stream.js';
import { createDynamicPrompt } from './dynamic-prompt.js';
import type { DynamicPrompt } from './dynamic-prompt.js';

const [slots, width, batch] = [3, 4, 5];
const random = stream(1, 'features');
const features = new Float32Array(batch * width).map(() => random.normal());

async function createPrompt(configuration: PromptConfigurationInput): Promise<DynamicPrompt> {
  const small = { slots, initialisation: { kind: 'uniform' } } as const;
  return createDynamicPrompt({ ...small, ...configuration }, { width, seed: 2 });
}

beforeAll(async () => {
  await selectBackend();
});

describe('several tasks', () => {
  it('decide each by logits of their own', async () => {
    const prompt = await createPrompt({ tasks: 2, position: { level: 'task' }, length: { level: 'task' } });
    prompt.parameters.get('position.bias')?.values.set([0, 1, 0, 0, 0, 0, 0, 1]);
    prompt.parameters.get('length.bias')?.values.set([0, 0, 1, 0, 1, 0, 0, 0]);
    const chosen = [0, 1].map((task) => prompt.plan(undefined, 1, { training: false, task }).choices);
    expect(chosen.map(({ position }) => [...position])).toEqual([[1], [3]]);
    expect(chosen.map(({ length }) => [...length])).toEqual([[2], [0]]);
  });

  it('teach their own biases, and the weights and the pool that they share', async () => {
    const representation = { kind: 'select', pool: 2 } as const;
    const prompt = await createPrompt({ tasks: 3, position: { level: 'instance' }, representation });
    const planned = prompt.plan(features, batch, {
      training: true,
      temperature: 1,
      random: stream(1, 'gumbel'),
      task: 1,
    });
    const draws = stream(3, 'upstream');
    const gradients = planned.backward({
      prompts: new Float32Array(batch * slots * width).map(() => draws.normal()),
      position: new Float32Array(batch * (slots + 1)).map(() => draws.normal()),
      gates: undefined,
    });
    for (const name of ['position.bias', 'representation.bias']) {
      const gradient = [...(gradients.get(name) ?? [])];
      const count = gradient.length / 3;
      const taught = gradient.map((value, index) => (value === 0 ? -1 : Math.floor(index / count)));
      expect(new Set(taught)).toEqual(new Set([-1, 1]));
    }
    for (const name of ['position.weight', 'representation.weight', 'representation.pool']) {
      expect(gradients.get(name)?.some((value) => value !== 0)).toBe(true);
    }
  });

  it('can learn opposite places for one prompt', async () => {
    const prompt = await createPrompt({ tasks: 2, position: { level: 'task' } });
    const optimiser = createAdamW({ learningRate: 0.05, weightDecay: 0 });
    const gumbel = stream(1, 'gumbel');
    const target = [0, slots];
    for (let step = 0; step < 120; step++) {
      const task = step % 2;
      const planned = prompt.plan(undefined, batch, {
        training: true,
        temperature: 1,
        random: gumbel,
        task,
      });
      const position = new Float32Array(batch * (slots + 1)).map((_, index) =>
        index % (slots + 1) === target[task] ? -1 : 0,
      );
      const gradient = { prompts: new Float32Array(batch * slots * width), position, gates: undefined };
      optimiser.step(prompt.parameters, planned.backward(gradient));
    }
    const learned = [0, 1].map((task) => prompt.plan(undefined, 1, { training: false, task }).choices);
    expect(learned.map(({ position }) => position[0])).toEqual(target);
  });

  it('of equal biases plan as a single task does, bit for bit', async () => {
    const configuration = {
      position: { level: 'instance' },
      length: { level: 'task' },
      representation: { kind: 'generate' },
    } as const;
    const options = { training: true, temperature: 0.7 } as const;
    const single = (await createPrompt(configuration)).plan(features, batch, {
      ...options,
      random: stream(1, 'gumbel'),
    });
    const several = (await createPrompt({ ...configuration, tasks: 2 })).plan(features, batch, {
      ...options,
      random: stream(1, 'gumbel'),
      task: 1,
    });
    expect(several.plan).toEqual(single.plan);
  });

  it.each([
    [2, undefined, /nothing is not one of 2 tasks. Pass the task of the batch, 0..1/],
    [2, 2, /2 is not one of 2 tasks/],
    [2, 0.5, /0.5 is not one of 2 tasks/],
    [undefined, 0, /task: is 0, but there is one task only/],
  ])('of which there are %s refuse task %s', async (tasks, task, message) => {
    const prompt = await createPrompt({ ...(tasks === undefined ? {} : { tasks }) });
    const plan = (): unknown => prompt.plan(undefined, batch, { training: false, task });
    expect(plan).toThrow(ConfigurationError);
    expect(plan).toThrow(message);
  });
});
