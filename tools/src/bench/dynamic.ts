import { createDynamicPrompt, preset, selectBackend, stream, type PresetName } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder } from '@dynaprompt/text';
import { machine, measureInTurn, round } from './measure.js';

export interface DynamicOptions {
  /** Backbone folder; the bundled one by default. */
  readonly backbone: string | undefined;
  readonly batch: number;
  /** Words of every example. */
  readonly words: number;
  readonly slots: number;
  readonly rounds: number;
}

/**
 * Times whole training steps, plan + differentiated backbone + backward of the networks, of a fixed and of a dynamic prompt of
 * the same number of slots. Features are given, as they are cached in training.
 */
export async function benchDynamic(options: DynamicOptions): Promise<unknown> {
  const backend = await selectBackend();
  const { batch, slots } = options;
  const head = { kind: 'linear', classes: 2 } as const;
  const backbone = await createTextEncoder(options.backbone ?? miniBert, { head, reserve: slots });
  const examples = Array.from({ length: batch }, (_, index) => ({
    text: Array.from({ length: options.words }, (_, word) => (index + word) % 10).join(' '),
  }));
  const labels = Int32Array.from({ length: batch }, (_, index) => index % 2);
  const features = await backbone.features(examples);
  const parameters = backbone.initialHead(1);

  const stepOf = async (name: PresetName): Promise<() => Promise<unknown>> => {
    const prompt = await createDynamicPrompt(
      { ...preset(name), slots },
      { width: backbone.width, seed: 1, rows: (count, offset) => backbone.promptRows(count, offset) },
    );
    const random = stream(1, name);
    return async () => {
      const planned = prompt.plan(features, batch, { training: true, temperature: 1, random });
      const request = {
        position: planned.plan.position.candidates > 1 && name !== 'fixed',
        gates: planned.plan.gates !== undefined,
      };
      const step = await backbone.differentiate({ examples, labels }, planned.plan, parameters, request);
      return planned.backward(step.plan);
    };
  };
  const variants = { fixed: await stepOf('fixed'), dynamic: await stepOf('dynamic') };
  const timings = await measureInTurn(variants, options.rounds);
  await backbone.release();
  return {
    benchmark: 'dynamic',
    backbone: backbone.description.name,
    tfjs: backend.name,
    shape: { batch, words: options.words, slots },
    milliseconds: timings,
    dynamicRatio: round(timings.dynamic.median / timings.fixed.median),
    machine: machine(),
  };
}
