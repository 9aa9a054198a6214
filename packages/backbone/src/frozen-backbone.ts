import type { BackboneDescription, FrozenBackbone, ParameterSet, PromptPlan } from '@dynaprompt/core';
import { floatsOf, int64, type Session } from '@dynaprompt/onnx-autodiff';
import { feedsOf, fineTuningOf } from './fine-tuning.js';
import { OUTPUT, PROMPT_INPUT } from './graph/names.js';
import type { ComputeOptions, PromptedModel, TrainingVariant } from './graph/prompted-model.js';
import type { PromptedBatch } from './sequence/arrangement.js';
import { checkLabels, checkPlan } from './sequence/checks.js';
import { repeatPlan, sumRepeated } from './sequence/repeat.js';
import { SessionCache } from './sessions/session-cache.js';
import { stepOf } from './step.js';

/**
 * What a batch is arranged for: the features that networks read and what a probe reads, both prompt-free; a prediction, whose
 * prompts are as short as their gates say; or a training step, which keeps every slot and gates it.
 */
export type Purpose = 'features' | 'pooled' | 'prediction' | 'training';

/** What an adapter says about its model; the rest is common to all. */
export interface BackboneParts<Example> {
  /** Without what the model says about itself. */
  readonly description: Omit<BackboneDescription, 'dtype' | 'parameters' | 'layers'>;
  readonly model: PromptedModel;
  readonly classes: number;
  /** Most slots of a plan. */
  readonly maximumSlots: number;
  /** Rows of the model's batch that an example takes, except for features and for what a probe reads; default 1. */
  readonly rowsPerExample?: number;
  readonly options: BackboneOptions;
  initialHead(seed: number): ParameterSet;
  /**
   * Examples and plan as graph inputs, those of the head that are data included. `key_bias` among them makes attention take it.
   * The plan was checked; it has a row for every row of the model's batch.
   */
  arrange(
    examples: readonly Example[],
    plan: PromptPlan | undefined,
    purpose: Purpose,
  ): PromptedBatch | Promise<PromptedBatch>;
  /** Rows to start a prompt from, [count, d]. */
  promptRows(count: number, offset: number, sessions: SessionCache): Promise<Float32Array>;
  lengthOf(example: Example): number;
  identify(example: Example): string | Uint8Array;
}

/** How a backbone computes. */
export type BackboneOptions = Pick<
  ComputeOptions,
  'compute' | 'threads' | 'isolated' | 'executionProviders' | 'providerFallback' | 'warn'
>;

/** Makes a frozen backbone of what an adapter says. Sessions are opened when they are first needed. */
export function frozenBackbone<Example extends { readonly id?: string }>(
  parts: BackboneParts<Example>,
): FrozenBackbone<Example> {
  const { model, classes, rowsPerExample: times = 1, description } = parts;
  const { width, layers, parameters } = model;
  const options = given(parts.options);
  const sessions = new SessionCache(description.name);
  const training = (variant: TrainingVariant): Promise<Session> =>
    sessions.get(JSON.stringify(variant), () => model.openTraining(variant, options));

  const arrange = async (
    examples: readonly Example[],
    plan: PromptPlan | undefined,
    purpose: Purpose,
  ): Promise<PromptedBatch> => {
    checkPlan(plan, examples.length, { width, layers, reserve: parts.maximumSlots });
    return parts.arrange(examples, repeatPlan(plan, times), purpose);
  };
  const infer = async (
    examples: readonly Example[],
    plan: PromptPlan | undefined,
    head: ParameterSet,
    purpose: Purpose,
    output: string,
  ): Promise<Float32Array> => {
    const { feeds } = await arrange(examples, plan, purpose);
    const variant = { deep: plan?.deep?.layers ?? 0, gates: PROMPT_INPUT.keyBias in feeds };
    const session = await sessions.get(`inference ${JSON.stringify(variant)}`, () =>
      model.openInference(variant, options),
    );
    return floatsOf((await session.run({ ...feeds, ...feedsOf(head) }))[output]);
  };
  const neutralHead = parts.initialHead(0);

  return {
    description: {
      ...description,
      dtype: options.compute === 'int8' ? 'int8' : 'fp32',
      parameters,
      layers,
    },
    width,
    classes,
    initialHead: (seed) => parts.initialHead(seed),
    promptRows: (count, offset) => parts.promptRows(count, offset, sessions),
    features: (examples) => infer(examples, undefined, neutralHead, 'features', OUTPUT.pooled),
    pooled: (examples) => infer(examples, undefined, neutralHead, 'pooled', OUTPUT.pooled),
    predict: (examples, plan, head) => infer(examples, plan, head, 'prediction', model.logits),
    async differentiate(batch, plan, head, request) {
      checkLabels(batch, classes);
      const arranged = await arrange(batch.examples, plan, 'training');
      const session = await training({
        position: request.position,
        gates: PROMPT_INPUT.keyBias in arranged.feeds,
        deep: plan.deep?.layers ?? 0,
      });
      const feeds = {
        ...arranged.feeds,
        ...feedsOf(head),
        [PROMPT_INPUT.slots]: int64(arranged.slots, [plan.batch * times, plan.slots]),
        [PROMPT_INPUT.labels]: int64(batch.labels, [plan.batch]),
      };
      const repeated = repeatPlan(plan, times) ?? plan;
      const step = stepOf(await session.run(feeds), arranged, repeated, head, request);
      return { ...step, plan: sumRepeated(step.plan, plan.batch, times) };
    },
    fineTuning() {
      return sessions.whileOpen(() =>
        fineTuningOf<Example>({
          model: model.trainable(),
          sessions: new SessionCache(description.name),
          sessionOptions: options,
          arrange: (examples) => arrange(examples, undefined, 'prediction'),
          checkLabels: (batch) => {
            checkLabels(batch, classes);
          },
        }),
      );
    },
    lengthOf: (example) => parts.lengthOf(example),
    identify: (example) => parts.identify(example),
    release: () => sessions.release(),
  };
}

function given(options: BackboneOptions): ComputeOptions {
  const { threads, compute, isolated, executionProviders, providerFallback, warn } = options;
  const all = { threads, compute, isolated, executionProviders, providerFallback, warn };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
