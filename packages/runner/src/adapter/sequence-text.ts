import type { InspectedPart } from '@dynaprompt/benchmarks';

import type { Palette } from '../display/colour.js';

/** Prompt tokens that are drawn one by one; of more in a row, the first and the last. */
const longestRun = 6;

/** What a model reads, for people: `[CLS] ‹p1 p2› a fine film ‹p3› [SEP]`; patches by their number. */
export function sequenceText(sequence: readonly InspectedPart[], palette: Palette): string {
  const words: string[] = [];
  let run: string[] = [];
  let patches = 0;
  const endRuns = (): void => {
    if (patches > 0) words.push(`${patches} patches`);
    patches = 0;
    if (run.length === 0) return;
    const shown = run.length > longestRun ? [run[0], '…', run.at(-1)] : run;
    words.push(palette.prompt(`‹${shown.join(' ')}›`));
    run = [];
  };
  for (const part of sequence) {
    if (typeof part === 'object' && 'prompt' in part) {
      if (patches > 0) endRuns();
      run.push(`p${part.prompt}`);
    } else {
      if (run.length > 0 || typeof part === 'string') endRuns();
      if (typeof part === 'string') words.push(part);
      else patches += part.patches[1];
    }
  }
  endRuns();
  return words.join(' ');
}
