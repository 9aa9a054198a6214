import { adapterFiles } from './adapter-files.js';
import { batches, length, loss } from './batches.js';
import { determinism, features, identity } from './determinism.js';
import { fineTuning } from './fine-tuning.js';
import { closedGateGradient, deepGradient, gateGradient, headGradient, promptGradient } from './gradients.js';
import { memory } from './memory.js';
import { mistakes, release } from './mistakes.js';
import { noPosition, position } from './position.js';
import { description, shapes } from './shapes.js';
import type { Check } from './check.js';

/** Every check by its name, in the order in which they are run. */
export const checks = {
  description,
  shapes,
  identity,
  features,
  batches,
  length,
  loss,
  promptGradient,
  deepGradient,
  headGradient,
  gateGradient,
  closedGateGradient,
  position,
  noPosition,
  determinism,
  mistakes,
  fineTuning,
  adapterFiles,
  memory,
  release,
} as const satisfies Readonly<Record<string, Check>>;

/** Name of a check of {@link checks}. */
export type CheckName = keyof typeof checks;

/** Names of {@link checks} in their order. */
export const checkNames = Object.keys(checks) as readonly CheckName[];
