import { RowProblem } from '../rows/faults.js';
import type { RowReader } from '../rows/row-reader.js';
import { indexOf, rawTextOf, textOf, type Values } from '../rows/values.js';
import type { TextSpan } from '../types.js';
import { utf16Offsets } from './code-points.js';

/** Two sentences with a word of both; the second is followed by the question after that word. */
export const readWic: RowReader = (values) => {
  const word = textOf(values, 'word');
  const first = rawTextOf(values, 'sentence1');
  const second = rawTextOf(values, 'sentence2');
  return [
    {
      text: first,
      pair: `${second} Similar sense of "${word}"?`,
      spans: [spanOf(values, 'text', first, '1'), spanOf(values, 'pair', second, '2')],
      label: values.label,
    },
  ];
};

function spanOf(values: Values, of: TextSpan['of'], text: string, which: string): TextSpan {
  const offset = utf16Offsets(text);
  const start = offset(indexOf(values, `start${which}`));
  const end = offset(indexOf(values, `end${which}`));
  if (start < end && end <= text.length) return { of, start, end };
  throw new RowProblem(`start${which} and end${which} enclose no part of sentence${which}`, 'Correct them');
}
