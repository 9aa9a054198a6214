import type { RowReader } from '../rows/row-reader.js';
import { indexOf, textOf } from '../rows/values.js';

/** A pair of texts of AX-g, grouped with the one that differs in the gender of a pronoun alone. */
export const readAxg: RowReader = (values) => [
  {
    text: textOf(values, 'premise'),
    pair: textOf(values, 'hypothesis'),
    // The archive names the pairs; on the Hub, the two of a pair follow each other.
    group: `${typeof values.pair_id === 'number' ? values.pair_id : Math.floor(indexOf(values, 'idx') / 2)}`,
    label: values.label,
  },
];
