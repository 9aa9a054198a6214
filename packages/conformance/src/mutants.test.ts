import * as training from '@dynaprompt/training';
import { DynaPromptError } from '@dynaprompt/core';
import { describe, expect, it } from '@jest/globals';
import { checkNames, checks, type CheckName } from './checks/index.js';
import { checkBackbone } from './conformance.js';
import { ConformanceError } from './error.js';
import type { ConformanceOptions } from './options.js';
import { openSubject } from './subject.js';
import { MUTANTS, type Mutant } from './testing/mutants.js';
import { contentRows, EXAMPLES, LABELS, openTokens, type TokenExample } from './testing/token-backbone.js';

const options: ConformanceOptions<TokenExample> = {
  name: 'mutant',
  open: openTokens,
  examples: EXAMPLES,
  labels: LABELS,
  capabilities: { layers: 2 },
  contentRows: contentRows('small'),
  training,
};

/** Runs one check on a mutant of the small BERT. */
async function run(name: CheckName, mutant: Mutant, changes: Partial<typeof options> = {}): Promise<void> {
  const opened: Awaited<ReturnType<typeof openTokens>>[] = [];
  const subject = await openSubject({
    ...options,
    ...changes,
    async open() {
      const backbone = await openTokens();
      opened.push(backbone);
      const wrapped = { ...backbone };
      Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(mutant(backbone)));
      return wrapped;
    },
  });
  try {
    await checks[name].run(subject);
  } finally {
    for (const backbone of opened) await backbone.release();
  }
}

describe('a broken backbone is found', () => {
  it.each(MUTANTS)('%s: one that %s', async (name, _, mutant, message) => {
    const failure = await run(name, mutant).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConformanceError);
    expect(failure).toBeInstanceOf(DynaPromptError);
    expect(String(failure)).toMatch(message);
    expect(String(failure)).toMatch(
      /^ConformanceError: @dynaprompt\/conformance: mutant, [^\n]+ The contract: [^\n]+\.$/,
    );
  });

  it('by the check of a backbone that is said to have no positions', async () => {
    const failure = run('noPosition', () => ({}), { capabilities: { layers: 2, position: false } });
    await expect(failure).rejects.toThrow(/declared to have no effect of position/);
  });

  it('for every check there is', () => {
    const found = new Set(MUTANTS.map(([name]) => name));
    expect(checkNames.filter((name) => !found.has(name))).toEqual(['noPosition']);
  });
});

it('what is declared is not asked for', async () => {
  const noGradient: Mutant = (backbone) => ({
    differentiate: async (batch, plan, head, request) => {
      const step = await backbone.differentiate(batch, plan, head, request);
      return { ...step, plan: { ...step.plan, position: undefined, gates: undefined } };
    },
  });
  const capabilities = { position: false, gates: false, layers: 2 };
  await run('shapes', noGradient, { capabilities });
  await run('noPosition', noGradient, { capabilities });
  await run('determinism', noGradient, { capabilities });
  await run('length', noGradient, { capabilities });
});

it('all checks run in a row, without a runner', async () => {
  const small = { ...options, capabilities: { fineTuning: false }, memory: { steps: 3 } };
  await checkBackbone(small);
  const released = checkBackbone({
    ...small,
    async open() {
      const backbone = await openTokens();
      return { ...backbone, classes: 0 };
    },
  });
  await expect(released).rejects.toThrow(/classes is 0/);
});

it.each([
  [{ examples: EXAMPLES.slice(1, 2), labels: [1] }, /there are 1 examples/],
  [{ labels: [1] }, /1 labels for 3 examples/],
  [{ slots: 1 }, /1 is no number of slots/],
])('options that cannot be used are refused: %j', async (changes, message) => {
  await expect(openSubject({ ...options, ...changes })).rejects.toThrow(message);
});
