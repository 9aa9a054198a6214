import { RowProblem } from '../rows/faults.js';
import type { RowReader } from '../rows/row-reader.js';
import { shown, textOf } from '../rows/values.js';

/** Words that join a premise with its cause, or with its effect. */
const CONNECTIVES: Readonly<Record<string, string>> = { cause: 'because', effect: 'so' };

/** Both choices as candidates that continue the premise: "The man slid the razor across his chin so" … */
export const readCopa: RowReader = (values) => {
  const question = textOf(values, 'question');
  const connective = CONNECTIVES[question];
  if (connective === undefined) {
    throw new RowProblem(`question ${shown(question)} is neither "cause" nor "effect"`, 'Correct it');
  }
  return [
    {
      text: `${textOf(values, 'premise').replace(/\.$/, '')} ${connective}`,
      candidates: [textOf(values, 'choice1'), textOf(values, 'choice2')],
      label: values.label,
    },
  ];
};
