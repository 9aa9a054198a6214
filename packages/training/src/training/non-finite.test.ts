import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { selectBackend } from '@dynaprompt/core';

import { CheckpointFolder } from '../checkpoint/checkpoint-folder.js';
import { NonFiniteLossError, NonFinitePredictionError } from '../errors.js';
import type { TrainingEvent } from '../events.js';
import { bitsOf } from '../testing/bits.test.fixture.js';
import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { options, small, train, valuesOf } from '../testing/toy-run.test.fixture.js';
import { methodNamed } from './method.js';
import type { TrainingOptions } from './options.js';
import { trainPrompt } from './train-prompt.js';

let folder: string;

beforeAll(async () => {
  await selectBackend();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-non-finite-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Fails on some examples: in the loss, or in one number of a gradient. */
class FailingBackbone extends ToyBackbone {
  constructor(
    private readonly fails: (examples: readonly ToyExample[]) => boolean,
    private readonly part: 'loss' | 'prompts' | 'head',
  ) {
    super();
  }

  override async differentiate(
    ...call: Parameters<ToyBackbone['differentiate']>
  ): ReturnType<ToyBackbone['differentiate']> {
    const answer = await super.differentiate(...call);
    if (!this.fails(call[0].examples)) return answer;
    if (this.part === 'loss') return { ...answer, loss: Number.NaN };
    (this.part === 'prompts' ? answer.plan.prompts : answer.head.get('head.bias'))?.set([-Infinity], 1);
    return answer;
  }
}

const poison = train[5];
const isPoisoned = (examples: readonly ToyExample[]): boolean =>
  examples.some((example) => example === poison?.example);

function run(backbone: ToyBackbone, changes: Partial<TrainingOptions<ToyExample>> = {}) {
  const given = { steps: 32, evaluateEvery: 10, ...changes };
  return trainPrompt(options(backbone, methodNamed('dynamic', small), given));
}

describe('a step that is not finite', () => {
  it.each<['loss' | 'prompts' | 'head', string]>([
    ['loss', 'the loss'],
    ['prompts', 'the gradient of '],
    ['head', 'the gradient of head.bias'],
  ])('stops the run and leaves the state before it, %s', async (part, quantity) => {
    const steps: number[] = [];
    const events = (event: TrainingEvent): void => {
      if (event.type === 'step') steps.push(event.step);
    };
    const failed = run(new FailingBackbone(isPoisoned, part), { checkpoint: { folder }, events });
    const error = (await failed.catch((reason: unknown) => reason)) as NonFiniteLossError;
    expect(error).toBeInstanceOf(NonFiniteLossError);
    expect(error.problem).toContain(quantity);
    expect(error.exampleIds).toContain(poison?.id);
    expect(error.exampleIds).toHaveLength(8);
    expect(steps).toEqual(Array.from({ length: error.step - 1 }, (_, index) => index + 1));
    expect(error.checkpoint).toBe(join(folder, `checkpoint-${error.step - 1}`));
    // The state is that of a run whose every step is sound, and goes on as that does.
    const whole = await run(new ToyBackbone());
    const resumed = await run(new ToyBackbone(), { checkpoint: { folder }, resume: true });
    expect(resumed.resumedFrom).toBe(error.step - 1);
    expect(bitsOf(resumed)).toEqual(bitsOf(whole));
  });

  it('is left out on request, counted and named, without an update', async () => {
    const notices: string[] = [];
    const events = (event: TrainingEvent): void => {
      if (event.type === 'notice') notices.push(event.message);
    };
    const backbone = new FailingBackbone(isPoisoned, 'head');
    const seen: string[] = [];
    const differentiate = backbone.differentiate.bind(backbone);
    backbone.differentiate = (...call) => {
      seen.push(JSON.stringify([...call[2]].map(([name, { values }]) => [name, [...values]])));
      return differentiate(...call);
    };
    const result = await run(backbone, { nanPolicy: 'skip', events });
    // One epoch is 8 steps, each example is in one of them.
    expect(result.skipped).toHaveLength(4);
    expect(result.steps).toBe(32);
    const places = result.skipped.map(({ step }) => step);
    expect(places.map((step) => Math.ceil(step / 8))).toEqual([1, 2, 3, 4]);
    expect(result.loss.map(({ step }) => step)).toEqual(
      Array.from({ length: 32 }, (_, index) => index + 1).filter((step) => !places.includes(step)),
    );
    for (const { step, quantity, exampleIds } of result.skipped) {
      expect(quantity).toBe('the gradient of head.bias');
      expect(exampleIds).toContain(poison?.id);
      // The next step sees the parameters of this one.
      if (step < 32) expect(seen[step]).toBe(seen[step - 1]);
      expect(notices).toContain(
        `step ${step} was left out, ${quantity} is not finite; examples ${exampleIds.join(', ')}`,
      );
    }
    expect(seen[1]).not.toBe(seen[0]);
    for (const values of Object.values(valuesOf(result.parameters.prompt))) {
      expect(values.every(Number.isFinite)).toBe(true);
    }
    expect(result.optimiser.step).toBe(28);
  });

  it('left out, is the same in a run that was interrupted', async () => {
    const given = { nanPolicy: 'skip' } as const;
    const whole = await run(new FailingBackbone(isPoisoned, 'loss'), given);
    const { step = 0 } = whole.skipped[1] ?? {};
    for (const at of [step - 1, step + 1]) {
      const controller = new AbortController();
      const events = (event: TrainingEvent): void => {
        if (event.type === 'step' && event.step === at) controller.abort();
      };
      const more = { checkpoint: { folder }, resume: 'auto', signal: controller.signal, events } as const;
      const stopped = run(new FailingBackbone(isPoisoned, 'loss'), { ...given, ...more });
      await expect(stopped).rejects.toMatchObject({ name: 'TrainingStoppedError', step: at });
    }
    const resumed = { ...given, checkpoint: { folder }, resume: true };
    const result = await run(new FailingBackbone(isPoisoned, 'loss'), resumed);
    expect(bitsOf(result)).toEqual(bitsOf(whole));
  });

  it('may be left out from where the run has stopped', async () => {
    const stopped = run(new FailingBackbone(isPoisoned, 'loss'), { checkpoint: { folder } });
    await expect(stopped).rejects.toBeInstanceOf(NonFiniteLossError);
    const given = { nanPolicy: 'skip' } as const;
    const result = await run(new FailingBackbone(isPoisoned, 'loss'), {
      ...given,
      checkpoint: { folder },
      resume: true,
    });
    expect(bitsOf(result)).toEqual(bitsOf(await run(new FailingBackbone(isPoisoned, 'loss'), given)));
  });

  it('ends the run after so many in a row', async () => {
    let calls = 0;
    // Two in a row, then a sound one, then no more sound ones.
    const backbone = new FailingBackbone(() => ++calls > 4 && calls !== 7, 'loss');
    const given = { nanPolicy: 'skip', nanLimit: 3, checkpoint: { folder } } as const;
    const failed = run(backbone, given);
    await expect(failed).rejects.toMatchObject({ name: 'NonFiniteLossError', step: 10 });
    const content = await new CheckpointFolder(folder, 2).read(9);
    expect(content.state.history.skipped.map(({ step }) => step)).toEqual([5, 6, 8, 9]);
    expect(content.state.optimiser.step).toBe(5);
  });
});

describe('predictions that are not finite', () => {
  it.each([
    ['stop', NaN],
    ['skip', Infinity],
  ] as const)('end the run instead of being scored: nanPolicy %s, %d', async (nanPolicy, number) => {
    const backbone = new ToyBackbone();
    const predict = backbone.predict.bind(backbone);
    let passes = 0;
    backbone.predict = async (...given) => {
      const logits = await predict(...given);
      // The second evaluation's first pass; 60 examples are two passes.
      if (++passes === 3) logits.set([number], 3);
      return logits;
    };
    const heard: TrainingEvent[] = [];
    const ended = run(backbone, { nanPolicy, events: (event) => heard.push(event) });
    await expect(ended).rejects.toThrow(NonFinitePredictionError);
    await expect(ended).rejects.toThrow(/after step 20: the predictions for 1 of 60 validation examples/);
    expect(heard.flatMap((event) => (event.type === 'evaluated' ? [event.step] : []))).toEqual([10]);
  });
});
