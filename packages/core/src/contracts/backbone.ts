import type { PlanGradient, PromptPlan } from './plan.js';
import type { GradientSet, ParameterSet } from './tensor.js';

/** What a backbone says about itself; stands in every result. */
export interface BackboneDescription {
  /** Folder name or hub id. */
  readonly name: string;
  /** `model_type` of config.json, e.g. `bert`. */
  readonly family: string;
  /** Content hash of the model's files, the key of cached features. */
  readonly revision: string;
  /** Commit of the Hugging Face repository that it was opened at; absent for a local folder. */
  readonly commit?: string | undefined;
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

/** A labelled batch. */
export interface LabelledBatch<Example> {
  readonly examples: readonly Example[];
  /** [B] class indices, 0 ≤ label < classes, or indices of each example's own candidates; not read where the answer is a number. */
  readonly labels: Int32Array;
  /** [B] answers that are numbers, in the units of the data; has to be there where a backbone has a `range`. */
  readonly targets?: Float32Array | undefined;
}

/** Answer of {@link FrozenBackbone.differentiate}. */
export interface BackboneStep {
  /** Mean over the batch: cross-entropy in nats, or squared error (see {@link FrozenBackbone.range}). */
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
  /** Loss of a labelled batch, as that of the frozen backbone, and its gradient for every weight and every tensor of the head. */
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
  /** Mean over the batch: cross-entropy in nats, or squared error (see {@link FrozenBackbone.range}). */
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
  /** Columns of the logits: classes; the most candidates of an example; 1 where the answer is a number. */
  readonly classes: number;
  /**
   * Lowest and highest answer of a head that predicts a number, in the units of the data; absent for other heads. Its logits are the
   * predicted numbers, its loss is the mean squared error of predictions and targets that are scaled so that the range is 0 … 1.
   */
  readonly range?: readonly [lowest: number, highest: number] | undefined;
  /**
   * The candidates of an example, in order, as inputs of `pooled`; only with a head that scores each of them by the same linear
   * layer. The scores are the logits, −10⁹ behind the last.
   */
  readonly candidatesOf?: ((example: Example) => readonly Example[]) | undefined;
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
  /**
   * Begins what other threads can do ahead of the next call with these examples, such as decoding pictures; resolves when they go on
   * without the JavaScript thread. Changes no result; what fails is said by that call. Absent where there is nothing to prepare.
   */
  prepare?(examples: readonly Example[]): Promise<void>;
  /** Length of an example in the backbone's own units (tokens, patches), for batching alike lengths together. */
  lengthOf(example: Example): number;
  /** Text or bytes that identify an example's content, for the feature cache. */
  identify(example: Example): string | Uint8Array;
  /** Frees sessions and memory; the backbone cannot be used afterwards. */
  release(): Promise<void>;
}
