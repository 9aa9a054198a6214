import {
  createDynamicPrompt,
  featureStatistics,
  type FrozenBackbone,
  type LabelledBatch,
  nullThrows,
  type ParameterSet,
  parseConfiguration,
  type PromptConfigurationInput,
  stream,
} from '@dynaprompt/core';
import type { TrainingExample, TrainingMethod } from '@dynaprompt/training';

import { backboneFor, type Backbones } from '../comparison/backbones.js';
import type { OpenTask } from '../domain.js';

/** Shapes of tensors by name. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** What one method is on one task, and what its parts take on this machine. */
export interface MethodMeasures {
  /** Trainable tensors by name, without those of the head: tasks share them. */
  readonly shapes: Shapes;
  /** Those of the head, which every task has for itself. */
  readonly head: Shapes;
  /** Seconds of one pass of a training step; 0 where steps do without the backbone. */
  readonly passSeconds: number;
  /** Seconds of one example in an evaluation; 0 where cached inputs of the head are enough. */
  readonly exampleSeconds: number;
  /** Which vectors of the frozen model are computed once, for all runs. */
  readonly features: 'features' | 'pooled' | undefined;
}

/** Measures methods on one task, with as many examples as a pass has. */
export class Measurer<Example> {
  readonly batch: LabelledBatch<Example>;
  private readonly backbone: FrozenBackbone<Example>;

  constructor(
    private readonly task: Backbones<Example> & Pick<OpenTask<Example>, 'data'>,
    private readonly place: {
      readonly batch: number;
      readonly seed: number;
      /** Index and number of the tasks that share the prompt. */
      readonly task: number;
      readonly tasks: number;
    },
  ) {
    this.backbone = task.backbone;
    this.batch = spread(task.data.train, place.batch);
  }

  /** Longest example of the pass, in the backbone's own units. */
  get length(): number {
    return Math.max(...this.batch.examples.map((example) => this.backbone.lengthOf(example)));
  }

  /** Seconds in which the vectors of one example are computed. */
  async featureSeconds(kind: 'features' | 'pooled'): Promise<number> {
    const { examples } = this.batch;
    const backbone = kind === 'pooled' ? await backboneFor(this.task, 'linear-probe') : this.backbone;
    return (await timedTwice(() => backbone[kind](examples))).seconds / examples.length;
  }

  async measure(method: TrainingMethod): Promise<MethodMeasures> {
    const backbone = await backboneFor(this.task, method);
    if (typeof method === 'object') return this.measurePrompt(backbone, method.configuration);
    if (method === 'fine-tuning') return this.measureFineTuning(backbone);
    const head = backbone.initialHead(this.place.seed);
    const probed = { shapes: {}, head: shapesOf(head), passSeconds: 0, exampleSeconds: 0 };
    if (head.size > 0) return { ...probed, features: 'pooled' };
    const { seconds } = await timedTwice(() => backbone.predict(this.batch.examples, undefined, head));
    return { ...probed, exampleSeconds: seconds / this.batch.examples.length, features: undefined };
  }

  private async measurePrompt(
    backbone: FrozenBackbone<Example>,
    given: PromptConfigurationInput,
  ): Promise<MethodMeasures> {
    const { batch, place } = this;
    const { examples } = batch;
    const { width, description } = backbone;
    const several = place.tasks > 1;
    const configuration = parseConfiguration(several ? { ...given, tasks: place.tasks } : given);
    const task = several ? place.task : undefined;
    const source = {
      width,
      layers: description.layers,
      seed: place.seed,
      rows: (count: number, offset: number) => backbone.promptRows(count, offset),
    };
    const plain = await createDynamicPrompt(configuration, source);
    const features = plain.needsFeatures ? await backbone.features(examples) : undefined;
    const prompt =
      features === undefined
        ? plain
        : await createDynamicPrompt(configuration, {
            ...source,
            featureStatistics: featureStatistics(features, width),
          });
    const head = backbone.initialHead(place.seed);
    const random = stream(place.seed, 'choices');
    const temperature = configuration.temperature.start;
    const pass = await timedTwice(async () => {
      const planned = prompt.plan(features, examples.length, { training: true, temperature, random, task });
      const { plan } = await backbone.differentiate(batch, planned.plan, head, prompt.request);
      planned.backward(plan);
    });
    const prediction = await timedTwice(() => {
      const { plan } = prompt.plan(features, examples.length, { training: false, random, task });
      return backbone.predict(examples, plan, head);
    });
    return {
      shapes: shapesOf(prompt.parameters),
      head: shapesOf(head),
      passSeconds: pass.seconds,
      exampleSeconds: prediction.seconds / examples.length,
      features: prompt.needsFeatures ? 'features' : undefined,
    };
  }

  private async measureFineTuning(backbone: FrozenBackbone<Example>): Promise<MethodMeasures> {
    const { batch, place } = this;
    const tuning = nullThrows(await backbone.fineTuning?.(), 'the backbone can be fine-tuned');
    try {
      const weights = tuning.initialWeights();
      const head = backbone.initialHead(place.seed);
      const pass = await timedTwice(() => tuning.differentiate(batch, weights, head));
      const prediction = await timedTwice(() => tuning.predict(batch.examples, weights, head));
      return {
        shapes: shapesOf(weights),
        head: shapesOf(head),
        passSeconds: pass.seconds,
        exampleSeconds: prediction.seconds / batch.examples.length,
        features: undefined,
      };
    } finally {
      await tuning.release();
    }
  }
}

/** The second of two calls, with what it took: the first one opens sessions. */
async function timedTwice(call: () => Promise<unknown>): Promise<{ readonly seconds: number }> {
  await call();
  const began = performance.now();
  await call();
  return { seconds: (performance.now() - began) / 1000 };
}

/** So many examples from all over the training examples. */
function spread<Example>(train: readonly TrainingExample<Example>[], count: number): LabelledBatch<Example> {
  const taken = Math.min(count, train.length);
  const chosen = Array.from({ length: taken }, (_, index) =>
    nullThrows(train[Math.floor((index * train.length) / taken)], 'there are training examples'),
  );
  const targets = chosen.flatMap(({ target }) => target ?? []);
  return {
    examples: chosen.map(({ example }) => example),
    labels: Int32Array.from(chosen, ({ label }) => label),
    ...(targets.length === taken ? { targets: Float32Array.from(targets) } : {}),
  };
}

function shapesOf(parameters: ParameterSet): Shapes {
  return Object.fromEntries([...parameters].map(([name, { shape }]) => [name, shape]));
}
