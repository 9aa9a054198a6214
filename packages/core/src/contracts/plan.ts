/**
 * The plan: what the small trainable network decides for one batch, and what the frozen backbone answers.
 *
 * All arrays are host memory, row-major. Letters: B batch, l prompt slots, d hidden width, C position candidates.
 */

/** How a position candidate is read (see `docs` of {@link PositionChoice}). */
export type PositionMode = 'split' | 'insert';

/** Where the prompt of every example stands. */
export interface PositionChoice {
  /**
   * `split`: candidate j ∈ 0..l puts the first min(j, k) of the k active prompt tokens before the input, the rest after it
   * (Yang et al. 2023, section 3). `insert`: the whole prompt goes to anchor j of C evenly spaced anchors, 0 = before the
   * first input token, C−1 = after the last.
   */
  readonly mode: PositionMode;
  /** C, the number of candidates: l + 1 for `split`. */
  readonly candidates: number;
  /** [B] the candidate chosen for each example, 0 ≤ j < C. */
  readonly choice: Int32Array;
}

/** One batch of prompts. */
export interface PromptPlan {
  /** B */
  readonly batch: number;
  /** l, slots of a prompt, active or not. */
  readonly slots: number;
  /** d, the backbone's hidden width. */
  readonly width: number;
  /** [B, l, d] */
  readonly prompts: Float32Array;
  readonly position: PositionChoice;
  /**
   * [B, l] attention gate γ of every prompt token, non-increasing along l, 1…1 0…0 after a hard choice of length. A token
   * whose gate is 0 is attended by nobody. `undefined`: every token is on and no gate gradient is wanted.
   */
  readonly gates: Float32Array | undefined;
  /** Prompts of deeper layers; absent: the prompt enters at the first layer only. */
  readonly deep?: DeepPrompts | undefined;
}

/**
 * Prompts that replace what the layers before have made of the prompt (VPT-deep, Jia et al. 2022, section 3.2; P-tuning v2).
 * They stand where the prompt stands and are gated like it.
 */
export interface DeepPrompts {
  /** D ≥ 1: layers 2 … D + 1 receive prompts of their own at their input. */
  readonly layers: number;
  /** [B, D, l, d] */
  readonly prompts: Float32Array;
}

/** Gradient of the loss with respect to every field of a {@link PromptPlan}. */
export interface PlanGradient {
  /** [B, l, d] */
  readonly prompts: Float32Array;
  /** [B, C] dL/dg of the one-hot g in E = Σ_j g_j C_j, present when it was asked for. */
  readonly position: Float32Array | undefined;
  /** [B, l] dL/dγ, present when it was asked for; defined at γ = 0 too. */
  readonly gates: Float32Array | undefined;
  /** [B, D, l, d], present when the plan has deep prompts. */
  readonly deep?: Float32Array | undefined;
}
