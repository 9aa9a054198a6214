/** Fields that every error of the product carries. */
export interface ErrorDetails {
  /** Package that speaks, e.g. `@dynaprompt/text`. */
  readonly packageName: string;
  /** File, tensor, option or example at fault. */
  readonly subject: string;
  /** What is wrong. */
  readonly problem: string;
  /** What the user can do. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/** Base of all errors: one line that names package, subject, problem and remedy. */
export class DynaPromptError extends Error {
  readonly packageName: string;
  readonly subject: string;
  readonly problem: string;
  readonly remedy: string;

  constructor(details: ErrorDetails) {
    super(
      `${details.packageName}: ${details.subject}: ${details.problem}. ${details.remedy}.`,
      'cause' in details ? { cause: details.cause } : undefined,
    );
    this.name = new.target.name;
    this.packageName = details.packageName;
    this.subject = details.subject;
    this.problem = details.problem;
    this.remedy = details.remedy;
  }
}

/** A configuration value that cannot be used. */
export class ConfigurationError extends DynaPromptError {}

/** Data (a row, a column, a label, a picture) that cannot be used. */
export class DataError extends DynaPromptError {}

/** A model file or folder that cannot be used. */
export class ModelError extends DynaPromptError {}

/** Returns `value`, or throws with the reason why it had to be there. */
export function nullThrows<T>(value: T | null | undefined, reason: string): T {
  if (value === null || value === undefined) throw new Error(`internal: ${reason}`);
  return value;
}
