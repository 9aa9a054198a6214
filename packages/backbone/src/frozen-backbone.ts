import {
  timed,
  type BackboneDescription,
  type FrozenBackbone,
  type ParameterSet,
  type PromptPlan,
} from '@dynaprompt/core';
import { floatsOf, int64, type Graph } from '@dynaprompt/onnx-autodiff';
import { feedsOf, fineTuningOf } from './fine-tuning.js';
import type { FolderOptions } from './folder/backbone-folder.js';
import { OUTPUT, PROMPT_INPUT } from './graph/names.js';
import { answerInputs } from './graph/objective.js';
import type {
  ComputeOptions,
  PromptedModel,
  PromptVariant,
  TrainingVariant,
} from './graph/prompted-model.js';
import type { PromptedBatch } from './sequence/arrangement.js';
import { checkLabels, checkPlan, type Answering } from './sequence/checks.js';
import { repeatPlan, sumRepeated } from './sequence/repeat.js';
import { ModelSessions } from './sessions/model-sessions.js';
import { SessionCache } from './sessions/session-cache.js';
import { stepOf } from './step.js';

/**
 * What a batch is arranged for: the features that networks read and what a probe reads, both prompt-free; a prediction, whose
 * prompts are as short as their gates say; or a training step, which keeps every slot and gates it.
 */
export type Purpose = 'features' | 'pooled' | 'prediction' | 'training';

/** What an adapter says about its model; the rest is common to all. */
export interface BackboneParts<Example> extends Answering<Example> {
  /** Without what the model says about itself. */
  readonly description: Omit<BackboneDescription, 'dtype' | 'parameters' | 'layers'>;
  readonly model: PromptedModel;
  /** Most slots of a plan. */
  readonly maximumSlots: number;
  readonly options: BackboneOptions;
  /** Head parameters to start from; the same for the same seed. */
  initialHead(seed: number): ParameterSet;
  /** Rows of the model's batch that an example takes, except for features and for what a probe reads; default 1. */
  rowsOf?(example: Example): number;
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
  /** Tokens of an example without prompt, framing tokens included. */
  lengthOf(example: Example): number;
  /** What tells the content of an example from that of others, for caches. */
  identify(example: Example): string | Uint8Array;
}

/** How a backbone computes. */
export type BackboneOptions = Pick<
  ComputeOptions,
  'compute' | 'threads' | 'isolated' | 'executionProviders' | 'providerFallback' | 'warn'
> &
  Pick<FolderOptions, 'dtype'>;

/** Makes a frozen backbone of what an adapter says. Sessions are opened when they are first needed. */
export function frozenBackbone<Example extends { readonly id?: string }>(
  parts: BackboneParts<Example>,
): FrozenBackbone<Example> {
  const { model, classes, range, candidatesOf, description } = parts;
  const answering = { classes, range, candidatesOf };
  const { width, layers, parameters } = model;
  const options = given(parts.options);
  const sessions = new SessionCache(description.name);
  const graphs = new ModelSessions(sessions, options);
  const countsOf = (examples: readonly Example[]): readonly number[] =>
    examples.map((example) => parts.rowsOf?.(example) ?? 1);

  const arrange = async (
    examples: readonly Example[],
    plan: PromptPlan | undefined,
    purpose: Purpose,
  ): Promise<PromptedBatch> => {
    checkPlan(plan, examples.length, { width, layers, reserve: parts.maximumSlots });
    return timed('data', async () =>
      parts.arrange(examples, plan && repeatPlan(plan, countsOf(examples)), purpose),
    );
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
    const make = (): Graph => model.inferenceGraph(variant, options);
    const results = await graphs.run(purposeOf('inference', variant), make, { ...feeds, ...feedsOf(head) });
    return floatsOf(results[output]);
  };
  const neutralHead = parts.initialHead(0);

  return {
    description: {
      ...description,
      dtype: dtypeOf(parts.options),
      parameters,
      layers,
    },
    width,
    ...answering,
    initialHead: (seed) => parts.initialHead(seed),
    promptRows: (count, offset) => parts.promptRows(count, offset, sessions),
    features: (examples) => infer(examples, undefined, neutralHead, 'features', OUTPUT.pooled),
    pooled: (examples) => infer(examples, undefined, neutralHead, 'pooled', OUTPUT.pooled),
    predict: (examples, plan, head) => infer(examples, plan, head, 'prediction', model.logits),
    async differentiate(batch, plan, head, request) {
      checkLabels(batch, answering);
      const arranged = await arrange(batch.examples, plan, 'training');
      const variant = {
        position: request.position,
        gates: PROMPT_INPUT.keyBias in arranged.feeds,
        deep: plan.deep?.layers ?? 0,
      };
      const counts = countsOf(batch.examples);
      const repeated = repeatPlan(plan, counts) ?? plan;
      const feeds = {
        ...arranged.feeds,
        ...feedsOf(head),
        ...answerInputs(batch, range),
        [PROMPT_INPUT.slots]: int64(arranged.slots, [repeated.batch, plan.slots]),
      };
      const make = (): Promise<Graph> => model.trainingGraph(variant, options);
      const results = await graphs.run(purposeOf('training', variant), make, feeds);
      const step = stepOf(results, arranged, repeated, head, request);
      return { ...step, plan: sumRepeated(step.plan, counts) };
    },
    fineTuning() {
      return sessions.whileOpen(() =>
        fineTuningOf<Example>({
          model: model.trainable(),
          sessions: new SessionCache(description.name),
          sessionOptions: options,
          range,
          arrange: (examples) => arrange(examples, undefined, 'prediction'),
          checkLabels: (batch) => {
            checkLabels(batch, answering);
          },
        }),
      );
    },
    lengthOf: (example) => parts.lengthOf(example),
    identify: (example) => parts.identify(example),
    async release() {
      await sessions.release();
      await graphs.release();
    },
  };
}

/** What a graph is for, the same for variants that are alike. */
function purposeOf(
  kind: string,
  { deep, gates, position = false }: PromptVariant & Partial<TrainingVariant>,
): string {
  return `${kind}, ${deep} deep${gates ? ', gates' : ''}${position ? ', position' : ''}`;
}

/** Element type of the weights, and of products that are computed in another one. */
function dtypeOf({ dtype = 'fp32', compute }: BackboneOptions): string {
  if (compute !== 'int8') return dtype;
  return dtype === 'fp32' ? 'int8' : `${dtype}, products in int8`;
}

function given(options: BackboneOptions): ComputeOptions {
  const { threads, compute, isolated, executionProviders, providerFallback, warn } = options;
  const all = { threads, compute, isolated, executionProviders, providerFallback, warn };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
