import { ConfigurationError } from '../errors.js';

/** Course of the learning rate over a run, as a factor of the base rate. */
export interface ScheduleOptions {
  readonly kind: 'constant' | 'linear' | 'cosine';
  /** Steps that climb linearly to the base rate; step 0 already moves. Default 0. */
  readonly warmUp?: number | undefined;
  /** Steps of the run; needed by `linear` and `cosine`. */
  readonly steps?: number | undefined;
  /** Factor at the end of `linear` and `cosine`. Default 0. */
  readonly final?: number | undefined;
}

/** Factor of the base learning rate at a step counted from 0. */
export type Schedule = (step: number) => number;

/**
 * Makes a learning-rate schedule: warm-up, then constant, a straight line or half a cosine down to `final` at `steps`.
 *
 * @throws ConfigurationError when steps are missing or do not exceed the warm-up.
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { kind, warmUp = 0, steps, final = 0 } = options;
  if (!Number.isInteger(warmUp) || warmUp < 0) {
    throw invalid('warmUp', `${warmUp} is not a number of steps`, 'Give an integer ≥ 0');
  }
  if (!Number.isFinite(final) || final < 0) {
    throw invalid('final', `${final} is not a factor`, 'Give a number ≥ 0');
  }
  const decay = decayOf(kind, warmUp, steps, final);
  return (step) => (step < warmUp ? (step + 1) / warmUp : decay(step));
}

function decayOf(
  kind: ScheduleOptions['kind'],
  warmUp: number,
  steps: number | undefined,
  final: number,
): Schedule {
  if (kind === 'constant') return () => 1;
  if (steps === undefined || !Number.isInteger(steps) || steps <= warmUp) {
    throw invalid(
      'steps',
      `${steps ?? 'nothing'} given for a ${kind} schedule after ${warmUp} steps of warm-up`,
      'Give the number of steps of the run, more than the warm-up',
    );
  }
  const progress: Schedule = (step) => Math.min(1, (step - warmUp) / (steps - warmUp));
  return kind === 'linear'
    ? (step) => final + (1 - final) * (1 - progress(step))
    : (step) => final + ((1 - final) * (1 + Math.cos(Math.PI * progress(step)))) / 2;
}

function invalid(option: string, problem: string, remedy: string): ConfigurationError {
  const subject = `schedule.${option}`;
  return new ConfigurationError({ packageName: '@dynaprompt/core', subject, problem, remedy });
}
