import { ConfigurationError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';

/** What the words of a verbaliser are held against. */
export type CalibrationMethod = 'contextual' | 'pmi';

/** How a verbaliser makes up for words that the model likes better than others whatever the text is. */
export interface CalibrationOptions {
  /**
   * Adds a bias to the logit of every class, by which the frozen model without a prompt finds no class in a text that says nothing:
   * `contextual` or `pmi`, see `calibrationBiases`. Default `none`.
   */
  readonly calibration?: 'none' | CalibrationMethod;
  /** Texts that say nothing; in a template with a pair each stands for both. Default: {@link CONTENT_FREE}. */
  readonly contentFree?: readonly string[];
  /**
   * [classes] biases that were computed before; nothing is computed then. The `head` of an open backbone has them, so that a
   * calibrated head can be saved and opened again.
   */
  readonly biases?: readonly number[];
}

/** Texts that say nothing: those of Zhao et al. 2021, section 5; an empty premise for the other. */
export const CONTENT_FREE: Readonly<Record<CalibrationMethod, readonly string[]>> = {
  contextual: ['N/A', '[MASK]', ''],
  pmi: [''],
};

/** Method of calibration that has still to be computed for a head. */
export function pendingCalibration(options: object): CalibrationMethod | undefined {
  const { calibration = 'none', biases } = options as CalibrationOptions;
  return calibration === 'none' || biases !== undefined ? undefined : calibration;
}

/**
 * The biases that options bring along.
 * @throws ConfigurationError if they are not one number for each class, or without calibration, or there is no text that says nothing.
 */
export function biasesOf(
  { calibration = 'none', contentFree, biases }: CalibrationOptions,
  classes: number,
): { readonly biases?: readonly number[] } {
  if (contentFree?.length === 0) throw invalid('contentFree', 'there is no text', 'Give one or leave it out');
  if (biases === undefined) return {};
  if (calibration === 'none')
    throw invalid('biases', 'there is no calibration', 'Name the calibration that they are of');
  if (biases.length !== classes || !biases.every(Number.isFinite))
    throw invalid(
      'biases',
      `[${biases.join(', ')}] are not ${classes} numbers`,
      'Leave them out to compute them',
    );
  return { biases };
}

function invalid(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName: PACKAGE_NAME, subject, problem, remedy });
}
