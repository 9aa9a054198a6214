import {
  createAdamW,
  createDynamicPrompt,
  preset,
  stream,
  type FrozenBackbone,
  type LabelledBatch,
  type ParameterSet,
  type PresetName,
} from '@dynaprompt/core';

/** What a step consists of: choosing, differentiating the backbone, differentiating the choices, updating. */
export interface StepParts {
  readonly plan: number;
  readonly backbone: number;
  readonly networks: number;
  readonly optimiser: number;
}

/** A training step that can be taken again and again. */
export interface TimedStep {
  /** Takes a step. */
  run(): Promise<void>;
  /** Milliseconds of all steps so far. */
  readonly history: readonly StepParts[];
}

/** What all steps that are compared have in common. */
export interface StepSetting<Example> {
  readonly backbone: FrozenBackbone<Example>;
  readonly batch: LabelledBatch<Example>;
  /** [B, d]; given, as training has them in its cache. */
  readonly features: Float32Array;
  readonly slots: number;
}

/** Prepares steps of a preset: plan, loss and gradients of the backbone, backward through the networks, AdamW. */
export async function trainingStep<Example>(
  name: PresetName,
  { backbone, batch, features, slots }: StepSetting<Example>,
): Promise<TimedStep> {
  const prompt = await createDynamicPrompt(preset(name, { slots }), {
    width: backbone.width,
    seed: 1,
    rows: (count, offset) => backbone.promptRows(count, offset),
  });
  const head = backbone.initialHead(1);
  const parameters: ParameterSet = new Map([...prompt.parameters, ...head]);
  const optimiser = createAdamW({ learningRate: 0.001, clipNorm: 1, clipScope: 'tensor' });
  const random = stream(1, name);
  const history: StepParts[] = [];
  return {
    history,
    async run() {
      const start = performance.now();
      const planned = prompt.plan(features, batch.examples.length, {
        training: true,
        temperature: 1,
        random,
      });
      const chosen = performance.now();
      const step = await backbone.differentiate(batch, planned.plan, head, prompt.request);
      const differentiated = performance.now();
      const gradients = new Map([...planned.backward(step.plan), ...step.head]);
      const reversed = performance.now();
      optimiser.step(parameters, gradients);
      history.push({
        plan: chosen - start,
        backbone: differentiated - chosen,
        networks: reversed - differentiated,
        optimiser: performance.now() - reversed,
      });
    },
  };
}
