import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { checkNames } from './checks/index.js';
import { openSubject } from './subject.js';
import { EXAMPLES, LABELS, openTokens } from './testing/token-backbone.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('lists every check in the table of the README, and no other', () => {
  const rows = readme.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  expect(named.sort()).toEqual([...checkNames].sort());
});

it('names every capability that can be declared, and the tolerances', async () => {
  const subject = await openSubject({
    name: 'small',
    open: openTokens,
    examples: EXAMPLES,
    labels: LABELS,
  });
  await subject.backbone.release();
  const [, declared = ''] = readme.split('## What can be declared');
  for (const name of Object.keys(subject.capabilities))
    expect(declared).toContain(`\`${name}: `.replace('`layers', 'layers'));
  expect(declared).toContain('`tolerances`');
});
