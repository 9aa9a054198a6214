import { quantisedRules } from '../quantised/rules.js';
import { activationRules } from './activation.js';
import { convolutionRules } from './convolution.js';
import { elementwiseRules } from './elementwise.js';
import { indexingRules } from './indexing.js';
import { movementRules } from './movement.js';
import { normalizationRules } from './normalization.js';
import { productRules } from './product.js';
import { reductionRules } from './reduction.js';
import type { Rule } from './rule.js';

const table = {
  ...elementwiseRules,
  ...activationRules,
  ...normalizationRules,
  ...productRules,
  ...convolutionRules,
  ...reductionRules,
  ...movementRules,
  ...indexingRules,
  ...quantisedRules,
} as const satisfies Record<string, Rule>;

/** Operators with a gradient rule; those outside the standard domain are written `domain.Operator`. */
export type DifferentiableOperator = keyof typeof table;

/** The rule table, by operator. */
export const rules: Readonly<Record<DifferentiableOperator, Rule>> = table;

/** Names of all operators with a rule, sorted. */
export const differentiableOperators = Object.keys(table).sort() as readonly DifferentiableOperator[];

export function findRule(operator: string): Rule | undefined {
  return (rules as Readonly<Record<string, Rule>>)[operator];
}

/** Operators whose output does not change, or only in steps, when their input changes a little: the gradient ends there. */
export const PIECEWISE_CONSTANT: ReadonlySet<string> = new Set([
  ...['Shape', 'Size', 'ConstantOfShape', 'Range', 'EyeLike', 'OneHot', 'NonZero', 'ArgMax', 'ArgMin'],
  ...[
    'Equal',
    'Greater',
    'GreaterOrEqual',
    'Less',
    'LessOrEqual',
    'Not',
    'And',
    'Or',
    'Xor',
    'IsNaN',
    'IsInf',
  ],
  ...['Sign', 'Floor', 'Ceil', 'Round'],
]);
