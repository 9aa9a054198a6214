import { DynaPromptError } from '@dynaprompt/core';
import { PACKAGE_NAME } from './package-name.js';

/** What was found where a contract is broken. */
export interface Finding {
  /** Backbone and call, e.g. `mini-bert, predict`. */
  readonly subject: string;
  /** What is wrong, with its numbers. */
  readonly problem: string;
  /** Sentence of the contract that it breaks. */
  readonly contract: string;
  readonly cause?: unknown;
}

/** A backbone that does not keep a contract of `FrozenBackbone`. */
export class ConformanceError extends DynaPromptError {
  readonly contract: string;

  constructor({ contract, ...finding }: Finding) {
    super({ ...finding, packageName: PACKAGE_NAME, remedy: `The contract: ${contract}` });
    this.contract = contract;
  }
}
