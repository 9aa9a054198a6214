import { beforeAll, describe, expect, it } from '@jest/globals';
import { selectBackend } from '@dynaprompt/core';
import { type ToyExample, ToyBackbone } from '../testing/toy-backbone.test.fixture.js';
import { options, small, train, validation } from '../testing/toy-run.test.fixture.js';
import { methodNamed } from '../training/method.js';
import { trainPrompt } from '../training/train-prompt.js';
import type { ShowingOfExample } from './showing.js';

beforeAll(async () => {
  await selectBackend({ packageName: '@tensorflow/tfjs-backend-cpu' });
});

const fixed = methodNamed('fixed', small);

describe('examples of steps', () => {
  it('are augmented by how often they were shown and where they stand, each once; others are not', async () => {
    const seen: (ShowingOfExample & { readonly example: ToyExample })[] = [];
    const backbone = new ToyBackbone();
    await trainPrompt(
      options(backbone, fixed, {
        steps: 20,
        batch: 8,
        augment(example, showing) {
          seen.push({ ...showing, example });
          return [...example].reverse();
        },
      }),
    );
    expect(seen).toHaveLength(20 * 8);
    for (const { index, example } of seen) expect(example).toBe(train[index]?.example);
    for (let index = 0; index < train.length; index++) {
      const epochs = seen.filter((showing) => showing.index === index).map(({ epoch }) => epoch);
      expect(epochs).toEqual(epochs.map((_, time) => time));
      expect(epochs.length).toBeGreaterThan(1);
    }
  });

  it('are what the backbone gets', async () => {
    const run = async (augment?: (example: ToyExample) => ToyExample): Promise<number[]> => {
      const result = await trainPrompt(options(new ToyBackbone(), fixed, { steps: 4, augment }));
      return result.loss.map(({ value }) => value);
    };
    const plain = await run();
    expect(await run((example) => [...example])).toEqual(plain);
    expect(await run((example) => [...example].reverse())).not.toEqual(plain);
  });

  it('are prepared ahead: a batch, before the one in front of it is worked on; in evaluation too', async () => {
    const calls: string[] = [];
    class Prepared extends ToyBackbone {
      readonly nameOf = (examples: readonly ToyExample[]): string =>
        examples.map((one) => one.join('')).join();
      prepare(examples: readonly ToyExample[]): Promise<void> {
        if (examples.length > 0) calls.push(`prepare ${this.nameOf(examples)}`);
        return Promise.resolve();
      }
      override differentiate(
        ...call: Parameters<ToyBackbone['differentiate']>
      ): ReturnType<ToyBackbone['differentiate']> {
        calls.push(`step ${this.nameOf(call[0].examples)}`);
        return super.differentiate(...call);
      }
      override predict(...call: Parameters<ToyBackbone['predict']>): ReturnType<ToyBackbone['predict']> {
        calls.push(`predict ${this.nameOf(call[0])}`);
        return super.predict(...call);
      }
    }
    await trainPrompt(
      options(new Prepared(), fixed, { steps: 3, batch: 4, evaluateEvery: 3, evaluationBatch: 20 }),
    );
    const named = (kind: string): readonly string[] =>
      calls.filter((call) => call.startsWith(`${kind} `)).map((call) => call.slice(kind.length + 1));
    const [steps, predictions] = [named('step'), named('predict')];
    expect(steps).toHaveLength(3);
    expect(predictions).toHaveLength(validation.length / 20);
    const expected = [steps, predictions].flatMap((used, index) =>
      used.flatMap((batch, at) => {
        const next = used[at + 1];
        const kind = index === 0 ? 'step' : 'predict';
        return [...(next === undefined ? [] : [`prepare ${next}`]), `${kind} ${batch}`];
      }),
    );
    expect(calls).toEqual(expected);
  });
});
