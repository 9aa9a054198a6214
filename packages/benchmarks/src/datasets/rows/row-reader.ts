import type { TableRow } from '../formats/table.js';
import type { LabelledExample } from '../types.js';

/** What a row says, its label as it stands there. */
export interface RowReading extends Omit<LabelledExample, 'id' | 'label' | 'target'> {
  /** Tells examples of one row apart. */
  readonly key?: string;
  /** As the file has it; undefined where it has none. */
  readonly label: unknown;
}

/** Makes examples of a row. Throws a `RowProblem` where it cannot. */
export type RowReader = (values: TableRow['values'], line: number) => readonly RowReading[];
