import type { GradientSet, ParameterSet } from '../contracts/tensor.js';

/** What a step did, for logs. */
export interface OptimiserStep {
  /** Number of this step, counted from 0. */
  readonly step: number;
  /** Base learning rate after the schedule, before the groups. */
  readonly learningRate: number;
  /** Norm over all gradients, before clipping. */
  readonly gradientNorm: number;
}

/** What a checkpoint has to keep of an optimiser. */
export interface OptimiserState {
  /** Steps taken. */
  readonly step: number;
  /**
   * What is remembered of every parameter that has had a gradient: `<parameter>/steps`, a scalar, counts its own steps; the
   * rest depends on the optimiser, e.g. `<parameter>/first` and `<parameter>/second`.
   */
  readonly tensors: ParameterSet;
}

/** Changes parameters by their gradients. Parameters without a gradient stay as they are. */
export interface Optimiser {
  /**
   * Writes new values into `parameters`.
   *
   * @throws DataError when a gradient belongs to no parameter, has another size or is not finite, or the state is that of
   * other parameters; nothing is written then.
   */
  step(parameters: ParameterSet, gradients: GradientSet): OptimiserStep;
  /** A copy of the state. */
  state(): OptimiserState;
  /** Continues from a state, bit for bit. @throws DataError when it is not a state of this optimiser. */
  restore(state: OptimiserState): void;
}
