import type { PlanGradient, PromptPlan } from './plan.js';
import type { GradientSet, ParameterSet } from './tensor.js';

/** What a backbone says about itself; stands in every result. */
export interface BackboneDescription {
  /** Folder name or hub id. */
  readonly name: string;
  /** `model_type` of config.json, e.g. `bert`. */
  readonly family: string;
  /** Content hash of the model file, the key of cached features. */
  readonly revision: string;
  /** Element type of the weights, e.g. `fp32`. */
  readonly dtype: string;
  /** Parameters of the frozen model. */
  readonly parameters: number;
  /** Most tokens the model can take, prompt included. */
  readonly maximumTokens: number;
  /** Layers whose input can take prompts of their own, the first one included; 1 where only shallow prompts are possible. */
  readonly layers: number;
}

/** What a training step wants to know besides the gradient of prompts and head. */
export interface GradientRequest {
  /** Ask for dL/dg, [B, C]. */
  readonly position: boolean;
  /** Ask for dL/dγ, [B, l]. */
  readonly gates: boolean;
}

/** A labelled batch. Labels are class indices, 0 ≤ label < classes. */
export interface LabelledBatch<Example> {
  readonly examples: readonly Example[];
  /** [B] */
  readonly labels: Int32Array;
}

/** Answer of {@link FrozenBackbone.differentiate}. */
export interface BackboneStep {
  /** Mean cross-entropy over the batch, nats. */
  readonly loss: number;
  /** [B, classes] */
  readonly logits: Float32Array;
  readonly plan: PlanGradient;
  /** Gradients of the head's tensors; empty for a head without parameters. */
  readonly head: GradientSet;
}

/** A copy of a backbone whose weights are passed in with every call, as those of a head are. No prompt. */
export interface FineTuning<Example> {
  /** Names, shapes and pretrained values of every floating-point weight that the class logits depend on. */
  initialWeights(): ParameterSet;
  /** Class logits, [B, classes]. */
  predict(examples: readonly Example[], weights: ParameterSet, head: ParameterSet): Promise<Float32Array>;
  /** Mean cross-entropy of a labelled batch, and its gradient for every weight and every tensor of the head. */
  differentiate(
    batch: LabelledBatch<Example>,
    weights: ParameterSet,
    head: ParameterSet,
  ): Promise<FineTuningStep>;
  /** Frees sessions and memory. */
  release(): Promise<void>;
}

/** Answer of {@link FineTuning.differentiate}. */
export interface FineTuningStep {
  /** Mean cross-entropy over the batch, nats. */
  readonly loss: number;
  /** [B, classes] */
  readonly logits: Float32Array;
  readonly weights: GradientSet;
  readonly head: GradientSet;
}

/**
 * A frozen model that accepts a {@link PromptPlan} and can be differentiated with respect to it. The model's weights never
 * change; the head's tensors are passed in with every call, so a backbone holds no trainable state.
 *
 * Every method rejects with a `DynaPromptError` that names the model file or the example at fault.
 */
export interface FrozenBackbone<Example> {
  readonly description: BackboneDescription;
  /** d, width of features and of prompts. */
  readonly width: number;
  readonly classes: number;
  /** Names and shapes of the head's trainable tensors, with their initial values; empty for a verbaliser. */
  initialHead(seed: number): ParameterSet;
  /**
   * Rows to start a prompt from: `count` rows of the token-embedding table, [count, d]. Different `offset`s give different
   * rows, so that the entries of a pool can start apart. Deterministic.
   */
  promptRows(count: number, offset: number): Promise<Float32Array>;
  /** Instance features h of the prompt-free frozen model: mean over valid tokens of its last hidden state, [B, d]. */
  features(examples: readonly Example[]): Promise<Float32Array>;
  /** Input of the head in the prompt-free frozen model (for a linear probe), [B, d]. */
  pooled(examples: readonly Example[]): Promise<Float32Array>;
  /** Class logits, [B, classes]. Without a plan the model runs prompt-free. Inactive prompt tokens are physically dropped. */
  predict(
    examples: readonly Example[],
    plan: PromptPlan | undefined,
    head: ParameterSet,
  ): Promise<Float32Array>;
  /** Loss and gradients of one labelled batch. */
  differentiate(
    batch: LabelledBatch<Example>,
    plan: PromptPlan,
    head: ParameterSet,
    request: GradientRequest,
  ): Promise<BackboneStep>;
  /**
   * Makes the model's own weights trainable, for the full fine-tuning baseline; absent where a backbone cannot. The backbone
   * itself stays frozen: the weights are a copy.
   */
  fineTuning?(): Promise<FineTuning<Example>>;
  /** Length of an example in the backbone's own units (tokens, patches), for batching alike lengths together. */
  lengthOf(example: Example): number;
  /** Text or bytes that identify an example's content, for the feature cache. */
  identify(example: Example): string | Uint8Array;
  /** Frees sessions and memory; the backbone cannot be used afterwards. */
  release(): Promise<void>;
}
