import type { PromptConfiguration, PromptConfigurationInput } from '../configuration.js';
import { candidatesOf, parseConfiguration } from '../configuration.js';
import type { GradientRequest } from '../contracts/backbone.js';
import type { PlanGradient, PromptPlan } from '../contracts/plan.js';
import type { GradientSet, ParameterSet, ParameterTensor } from '../contracts/tensor.js';
import { nullThrows } from '../errors.js';
import type { RandomStream } from '../random/stream.js';
import { checkBatch, checkSize, checkTask, checkTemperature, misuse } from './checks.js';
import { requireFinite, standardise } from './feature-statistics.js';
import type { FeatureStatistics } from './feature-statistics.js';
import { initialParameters } from './initial-parameters.js';
import type { PromptSource } from './initial-parameters.js';
import { resolveLayers, splitLayers } from './layers.js';
import { differentiate, effectiveRows, evaluate } from './networks.js';
import type { ChoiceNoise } from './relaxation.js';
import { isReparameterisation, promptName } from './reparameterisation.js';

/** What a dynamic prompt is created from. */
export interface DynamicPromptSource extends PromptSource {
  /** Fixed standardisation of the features; without it features are used as they are. */
  readonly featureStatistics?: FeatureStatistics | undefined;
  /** Layers of the backbone that can receive prompts, its `description.layers`; needed where more than one is asked. */
  readonly layers?: number | undefined;
}

/** Which task a plan is for. */
interface TaskOptions {
  /** Index of the task that all examples belong to, 0 ≤ task < `tasks`; for configurations with `tasks` only. */
  readonly task?: number | undefined;
}

/** Choices are sampled from `random` at temperature τ. */
export interface TrainingPlanOptions extends TaskOptions {
  readonly training: true;
  readonly temperature: number;
  readonly random: RandomStream;
}

/** Choices are the most probable ones; `random` is used only with `noiseAtEvaluation`. */
export interface EvaluationPlanOptions extends TaskOptions {
  readonly training: false;
  readonly random?: RandomStream | undefined;
}

/** How {@link DynamicPrompt.plan} decides. */
export type PlanOptions = TrainingPlanOptions | EvaluationPlanOptions;

/** What was decided for a batch, for inspection. */
export interface PlanChoices {
  /** [B] position candidate. */
  readonly position: Int32Array;
  /** [B] active tokens. */
  readonly length: Int32Array;
  /** [B, m] mixture over the pool; undefined without one. */
  readonly weights: Float32Array | undefined;
}

/** A plan and the way back from it. */
export interface PlannedBatch {
  readonly plan: PromptPlan;
  readonly choices: PlanChoices;
  /** μ · mean expected length, to be added to the loss; 0 without a penalty. */
  readonly penalty: number;
  /** μ · CV² of the pool's mean weights, to be added to the loss; 0 without a balance. */
  readonly balance: number;
  /**
   * Gradients of loss + {@link penalty} + {@link balance} for every parameter, straight through the choices that the plan
   * made. Computed at the parameters' present values: call it before the optimiser's step.
   *
   * @throws DataError when a gradient that {@link DynamicPrompt.request} asks for is missing or has the wrong size.
   */
  backward(gradient: PlanGradient): GradientSet;
}

/** A trainable dynamic prompt: decides where a soft prompt stands, how long it is and what it says. */
export interface DynamicPrompt {
  readonly configuration: PromptConfiguration;
  /** d */
  readonly width: number;
  /** C */
  readonly candidates: number;
  /** L, layers that receive prompts of their own; 1 for the first alone. */
  readonly layers: number;
  /** Trainable tensors; `initialParameters` lists names and shapes. */
  readonly parameters: ParameterSet;
  /** Gradients that the backbone has to deliver besides that of the prompts. */
  readonly request: GradientRequest;
  /** Whether plans depend on features; where false, `plan` ignores them. */
  readonly needsFeatures: boolean;
  readonly featureStatistics: FeatureStatistics | undefined;
  /**
   * Plans one batch. Needs a backend chosen by `selectBackend`.
   *
   * @param features [B, d] instance features of the frozen backbone; undefined is allowed where not needed.
   * @param batch B
   * @throws DataError when features do not have [B, d] finite values.
   * @throws ConfigurationError when no backend is selected, τ is not positive, a needed random stream is missing or the task
   * is not one of the configuration's.
   */
  plan(features: Float32Array | undefined, batch: number, options: PlanOptions): PlannedBatch;
  /**
   * The prompt, [L, l, d], or pool, [m, L, l, d], that the backbone gets to see, reparameterisation applied; a copy. An axis
   * of L = 1 is left out. This is all of a `fixed` prompt; `select` mixes it, `generate` adds to it.
   *
   * @throws ConfigurationError when the prompt is reparameterised and no backend is selected.
   */
  effectivePrompt(): ParameterTensor;
}

/**
 * Creates a dynamic prompt at its initial values.
 *
 * @throws ConfigurationError when the configuration or the source cannot be used.
 */
export async function createDynamicPrompt(
  configuration: PromptConfigurationInput | PromptConfiguration,
  source: DynamicPromptSource,
): Promise<DynamicPrompt> {
  const parsed = parseConfiguration(configuration);
  const { width, featureStatistics } = source;
  if (!Number.isInteger(width) || width < 1) {
    throw misuse('source.width', `${width} is not a width`, "Pass the backbone's width");
  }
  for (const [name, values] of Object.entries(featureStatistics ?? {})) {
    if ((values as Float32Array).length !== width) {
      throw misuse(
        `source.featureStatistics.${name}`,
        `has ${(values as Float32Array).length} values for width ${width}`,
        'Compute the statistics on features of this backbone',
      );
    }
  }
  const layers = resolveLayers(parsed, source.layers);
  const parameters = await initialParameters(parsed, source, layers);
  return new TrainablePrompt(parsed, width, layers, parameters, featureStatistics);
}

/**
 * The same prompt without its reparameterisation: the perceptron is applied once and for all and thrown away. Plans are
 * equal to float32 rounding; the tensors are copies. For export and for serving.
 *
 * @throws ConfigurationError when the prompt is reparameterised and no backend is selected.
 */
export function collapse(prompt: DynamicPrompt): DynamicPrompt {
  const { width, layers, featureStatistics } = prompt;
  const parameters = new Map<string, ParameterTensor>();
  for (const [name, { shape, values }] of prompt.parameters) {
    if (!isReparameterisation(name)) parameters.set(name, { shape, values: values.slice() });
  }
  parameters.set(promptName(prompt.configuration), prompt.effectivePrompt());
  const configuration = { ...prompt.configuration, reparameterisation: { kind: 'none' } } as const;
  return new TrainablePrompt(configuration, width, layers, parameters, featureStatistics);
}

class TrainablePrompt implements DynamicPrompt {
  readonly candidates: number;
  readonly request: GradientRequest;
  readonly needsFeatures: boolean;

  constructor(
    readonly configuration: PromptConfiguration,
    readonly width: number,
    readonly layers: number,
    readonly parameters: ParameterSet,
    readonly featureStatistics: FeatureStatistics | undefined,
  ) {
    const { position, length, representation } = configuration;
    this.candidates = candidatesOf(configuration);
    this.request = { position: position.level !== 'none', gates: length.level !== 'none' };
    this.needsFeatures =
      position.level === 'instance' || length.level === 'instance' || representation.kind !== 'fixed';
  }

  plan(features: Float32Array | undefined, batch: number, options: PlanOptions): PlannedBatch {
    const { configuration, width, layers, parameters } = this;
    const inputs = {
      configuration,
      width,
      layers,
      parameters,
      task: checkTask(options.task, configuration.tasks),
      batch: checkBatch(batch),
      features: this.#prepare(features, batch),
      noise: this.#draw(batch, options),
      temperature: checkTemperature(options.training ? options.temperature : configuration.temperature.end),
    };
    const { prompts, position, gates, length, weights, penalty, balance } = evaluate(inputs);
    const { first, deep } = splitLayers(prompts, batch, layers);
    return {
      plan: {
        batch,
        slots: configuration.slots,
        width,
        prompts: first,
        position: { mode: configuration.position.mode, candidates: this.candidates, choice: position },
        gates,
        deep,
      },
      choices: { position, length, weights },
      penalty,
      balance,
      backward: (gradient) => {
        this.#checkGradient(gradient, batch);
        return differentiate(inputs, gradient, gates);
      },
    };
  }

  effectivePrompt(): ParameterTensor {
    const { configuration, parameters, width } = this;
    const name = promptName(configuration);
    const { shape, values } = nullThrows(parameters.get(name), `'${name}' exists`);
    const isPlain = configuration.reparameterisation.kind === 'none';
    return { shape, values: isPlain ? values.slice() : effectiveRows(configuration, parameters, width) };
  }

  #prepare(features: Float32Array | undefined, batch: number): Float32Array | undefined {
    if (!this.needsFeatures) return undefined;
    const values = checkSize('features', features, [batch, this.width]);
    requireFinite(values);
    return this.featureStatistics === undefined ? values : standardise(values, this.featureStatistics);
  }

  /** Noise is drawn in a fixed order, and only for factors that choose. */
  #draw(batch: number, options: PlanOptions): ChoiceNoise {
    const { configuration, request } = this;
    const { representation, slots, noiseAtEvaluation } = configuration;
    const pool =
      representation.kind === 'select' && representation.mixture === 'hard' ? representation.pool : undefined;
    const sampled = options.training || noiseAtEvaluation;
    const needed = sampled && (request.position || request.gates || pool !== undefined);
    const { random } = options;
    if (!needed) return { position: undefined, length: undefined, representation: undefined };
    if (random === undefined) {
      throw misuse(
        'plan options.random',
        'is missing, but choices are sampled',
        "Pass a stream, e.g. stream(seed, 'gumbel')",
      );
    }
    return {
      position: request.position ? random.gumbels(batch * this.candidates) : undefined,
      length: request.gates ? random.gumbels(batch * (slots + 1)) : undefined,
      representation: pool === undefined ? undefined : random.gumbels(batch * pool),
    };
  }

  #checkGradient({ prompts, deep, position, gates }: PlanGradient, batch: number): void {
    const { width, layers, request, candidates } = this;
    const { slots } = this.configuration;
    checkSize('plan gradient.prompts', prompts, [batch, slots, width]);
    if (layers > 1) checkSize('plan gradient.deep', deep, [batch, layers - 1, slots, width]);
    if (request.position) checkSize('plan gradient.position', position, [batch, candidates]);
    if (request.gates) checkSize('plan gradient.gates', gates, [batch, slots]);
  }
}
