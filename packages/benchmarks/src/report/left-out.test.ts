import { describe, expect, it } from '@jest/globals';
import { nullThrows } from '@dynaprompt/core';
import { modelCard } from '../results/model-card.js';
import type { RunResults } from '../results/schema.js';
import { exampleResults } from '../testing/example-results.js';
import { leftOut } from './left-out.js';
import { renderReport } from './report.js';

/** A run that left out examples, one step of one method, and seven of another. */
function incomplete(): RunResults {
  const results = exampleResults();
  const step = (seed: number, at: number) => ({
    seed,
    step: at,
    quantity: 'the loss',
    exampleIds: ['a', 'b'],
  });
  const { frozen, dynamic } = results.methods;
  const methods = {
    frozen: { ...nullThrows(frozen, 'a method'), skipped: [step(2, 9)] },
    dynamic: { ...nullThrows(dynamic, 'a method'), skipped: [3, 4, 5, 6, 7, 8, 9].map((at) => step(1, at)) },
  };
  const skipped = { count: 1002, first: ['train.tsv line 7: no text', 'train.tsv line 9: <label> 4'] };
  return { ...results, data: { ...results.data, skipped }, methods };
}

describe('leftOut', () => {
  it('counts and names examples and steps', () => {
    expect(leftOut(incomplete())).toEqual([
      '1,002 examples that could not be used: train.tsv line 7: no text; train.tsv line 9: <label> 4; 1,000 others',
      'frozen: 1 step not finite, seed 2 step 9 (the loss)',
      'dynamic: 7 steps not finite, seed 1 step 3 (the loss), seed 1 step 4 (the loss), seed 1 step 5 (the loss), ' +
        'seed 1 step 6 (the loss), seed 1 step 7 (the loss), 2 others',
    ]);
    expect(leftOut(exampleResults())).toEqual([]);
  });

  it('stands in the report and on the card, and nowhere else', () => {
    const results = incomplete();
    expect(renderReport(results)).toContain('<dt>Left out</dt><dd>frozen: 1 step not finite');
    expect(renderReport(results)).toContain('line 9: &#60;label&#62; 4; 1,000 others');
    expect(modelCard(results)).toContain('- **Left out**: dynamic: 7 steps not finite');
    expect(modelCard(results)).toContain('line 9: \\<label\\> 4; 1,000 others');
    const complete = exampleResults();
    for (const page of [renderReport(complete), modelCard(complete)]) expect(page).not.toContain('Left out');
  });
});
