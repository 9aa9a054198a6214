import {
  nullThrows,
  type FineTuning,
  type FrozenBackbone,
  type GradientSet,
  type LabelledBatch,
  type ParameterSet,
} from '@dynaprompt/core';
import { float32, floatsOf, tensorValues, type Session, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { gradientOutput, OUTPUT } from './graph/names.js';
import { answerInputs } from './graph/objective.js';
import type { ComputeOptions } from './graph/prompted-model.js';
import type { TrainableModel } from './graph/trainable-model.js';
import type { PromptedBatch } from './sequence/arrangement.js';
import type { SessionCache } from './sessions/session-cache.js';

/** What fine-tuning takes over from the frozen backbone. */
export interface FineTuningParts<Example> {
  readonly model: TrainableModel;
  /** Sessions of the copy's own. */
  readonly sessions: SessionCache;
  readonly sessionOptions: ComputeOptions;
  /** Of the frozen backbone. */
  readonly range: FrozenBackbone<Example>['range'];
  /** Checks and arranges examples without a prompt. */
  arrange(examples: readonly Example[]): PromptedBatch | Promise<PromptedBatch>;
  checkLabels(batch: LabelledBatch<Example>): void;
}

/** A model with all its weights passed in by the caller, for full fine-tuning. */
export function fineTuningOf<Example>(parts: FineTuningParts<Example>): FineTuning<Example> {
  const { model, sessions, sessionOptions } = parts;
  const run = async (
    session: Session,
    examples: readonly Example[],
    ...given: readonly Readonly<Record<string, TensorValue>>[]
  ): Promise<Record<string, TensorValue>> => {
    const { feeds } = await parts.arrange(examples);
    // Inputs that only prompts need are not in this graph.
    const own = Object.entries(feeds).filter(([name]) => session.inputs.has(name));
    return session.run(Object.assign(Object.fromEntries(own), ...given) as Record<string, TensorValue>);
  };
  return {
    initialWeights: () =>
      new Map(
        model.weights.map((weight) => [
          weight.name,
          { shape: weight.dims, values: Float32Array.from(tensorValues(weight)) },
        ]),
      ),
    async predict(examples, weights, head) {
      const session = await sessions.get('inference', () => model.openInference(sessionOptions));
      return floatsOf((await run(session, examples, feedsOf(weights), feedsOf(head)))[OUTPUT.logits]);
    },
    async differentiate(batch, weights, head) {
      parts.checkLabels(batch);
      const session = await sessions.get('training', () => model.openTraining(sessionOptions));
      const answers = answerInputs(batch, parts.range);
      const results = await run(session, batch.examples, answers, feedsOf(weights), feedsOf(head));
      return {
        loss: nullThrows(floatsOf(results[OUTPUT.loss])[0], 'a session returned an empty loss'),
        logits: floatsOf(results[OUTPUT.logits]),
        weights: gradientsOf(weights, results),
        head: gradientsOf(head, results),
      };
    },
    release: () => sessions.release(),
  };
}

/** Trainable tensors as inputs of a graph. */
export function feedsOf(parameters: ParameterSet): Record<string, TensorValue> {
  return Object.fromEntries(
    [...parameters].map(([name, { shape, values }]) => [name, float32(values, shape)]),
  );
}

/** Gradients of trainable tensors among the results of a session. */
export function gradientsOf(
  parameters: ParameterSet,
  results: Readonly<Record<string, TensorValue>>,
): GradientSet {
  return new Map([...parameters.keys()].map((name) => [name, floatsOf(results[gradientOutput(name)])]));
}
