import { createHash } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { nullThrows } from '@dynaprompt/core';

import { type Cell, choose, type Outcome, pendingRuns, planStudy } from './run-plan.js';
import { exampleOptions, exampleTask, finished } from './study.test.fixture.js';

const failed: Outcome = { ok: false, message: 'no memory' };

function plan(changes: Partial<typeof exampleOptions> = {}): readonly Cell[] {
  return planStudy({ ...exampleOptions, ...changes }, [exampleTask]);
}

function only(cells: readonly Cell[]): Cell {
  const [cell] = cells;
  if (cell === undefined) throw new Error('a cell');
  return cell;
}

function deepSorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, deepSorted(value[name as keyof typeof value])]));
}

/** Outcomes of the tuning runs of a cell by candidate and seed. */
function tuned(cell: Cell, scores: readonly (readonly (number | null)[])[]): Map<string, Outcome> {
  return new Map(
    cell.tuning.flatMap((runs, candidate) =>
      runs.map(({ key }, seed) => {
        const score = scores[candidate]?.[seed] ?? null;
        return [key, score === null ? failed : finished({ final: score })] as const;
      }),
    ),
  );
}

describe('planStudy', () => {
  it('gives all methods the same budget, and as many tuning runs', () => {
    const cells = plan({ methods: ['linear-probe', 'fixed', 'dynamic', 'fine-tuning'] });
    for (const { tuning, finals } of cells) {
      expect(tuning.flat()).toHaveLength(2 * 2);
      for (const { run } of [...tuning, ...finals].flat()) expect(run).toMatchObject({ steps: 5, batch: 16 });
      expect(tuning.flat().map(({ run }) => run.seed)).toEqual([101, 102, 101, 102]);
    }
  });

  it('scores rates on held-out training examples only, without evaluations on the way', () => {
    const { tuning, finals } = only(plan());
    for (const { run } of tuning.flat())
      expect(run).toMatchObject({ phase: 'tuning', holdout: 0.25, evaluateEvery: 5 });
    for (const { run } of finals.flat())
      expect(run).toMatchObject({ phase: 'final', holdout: null, evaluateEvery: 2 });
  });

  it('tunes a penalised length without its penalty, and once for all penalties', () => {
    const cells = plan({
      methods: ['adap_ins_length'],
      penalties: { method: 'adap_ins_length', values: [0, 0.03] },
    });
    const keys = cells.map(({ tuning }) => tuning.flat().map(({ key }) => key));
    expect(keys[1]).toEqual(keys[0]);
    expect(keys[2]).toEqual(keys[0]);
    // No penalty is the method itself; another one is another run.
    const finals = cells.map((cell) => cell.finals[0]?.[0]?.key);
    expect(finals[1]).toBe(finals[0]);
    expect(finals[2]).not.toBe(finals[0]);
    expect(cells[2]?.finals[0]?.[0]?.run.configuration?.length.penalty).toBe(0.03);
  });

  it.each<[string, Parameters<typeof planStudy>]>([
    ['steps', [{ ...exampleOptions, steps: 6 }, [exampleTask]]],
    ['batch', [{ ...exampleOptions, batch: 8 }, [exampleTask]]],
    ['slots', [{ ...exampleOptions, slots: 3 }, [exampleTask]]],
    ['head', [{ ...exampleOptions, head: 'verbalizer' }, [exampleTask]]],
    ['examples', [exampleOptions, [{ ...exampleTask, data: 'others' }]]],
    ['backbone', [exampleOptions, [{ ...exampleTask, backbone: 'another' }]]],
    ['what the application knows', [exampleOptions, [{ ...exampleTask, details: { maxLength: 9 } }]]],
    ['versions', [exampleOptions, [{ ...exampleTask, versions: { tfjs: '5' } }]]],
  ])('gives runs another key where they differ in %s', (_, changed) => {
    const before = new Set(
      plan().flatMap(({ tuning, finals }) => [...tuning, ...finals].flat().map(({ key }) => key)),
    );
    const after = planStudy(...changed).flatMap(({ tuning, finals }) => [...tuning, ...finals].flat());
    expect(after.filter(({ key }) => before.has(key))).toEqual([]);
    expect(new Set(after.map(({ key }) => key)).size).toBe(after.length);
  });
});

describe('the key of a run', () => {
  it('is the hash of its fields in alphabetical order, those of the application among them', () => {
    const { key, run } = nullThrows(only(plan()).finals[0]?.[0], 'a run');
    const { details, ...fields } = run;
    const { configuration, rates, versions, ...plain } = { ...fields, ...details };
    const sorted = (value: object | null): string => JSON.stringify(value, Object.keys(value ?? {}).sort());
    const entries = Object.entries(plain)
      .map(([name, value]) => [name, JSON.stringify(value)] as const)
      .concat([
        ['configuration', JSON.stringify(deepSorted(configuration))],
        ['rates', sorted(rates)],
        ['versions', sorted(versions)],
      ])
      .sort(([first], [second]) => (first < second ? -1 : 1));
    const text = `{${entries.map(([name, value]) => `"${name}":${value}`).join(',')}}`;
    expect(text).toContain('"maxLength":null');
    expect(key).toBe(createHash('sha256').update(text).digest('hex'));
  });
});

describe('choose', () => {
  it('takes the best mean over the tuning seeds', () => {
    const cell = only(plan());
    const choice = choose(
      cell,
      tuned(cell, [
        [0.9, 0.1],
        [0.6, 0.6],
      ]),
    );
    expect(choice).toMatchObject({ state: 'chosen', candidate: 1, scores: [0.5, 0.6] });
  });

  it('takes the first of equal ones', () => {
    const cell = only(plan());
    expect(
      choose(
        cell,
        tuned(cell, [
          [0.5, 0.5],
          [0.4, 0.6],
        ]),
      ),
    ).toMatchObject({ candidate: 0 });
  });

  it('leaves out a setting of which a run failed, and fails where all did', () => {
    const cell = only(plan());
    expect(
      choose(
        cell,
        tuned(cell, [
          [1, null],
          [0.2, 0.2],
        ]),
      ),
    ).toMatchObject({ candidate: 1 });
    expect(
      choose(
        cell,
        tuned(cell, [
          [1, null],
          [null, 1],
        ]),
      ),
    ).toEqual({ state: 'failed', message: 'no memory' });
  });

  it('waits for the last tuning run', () => {
    const cell = only(plan());
    const outcomes = tuned(cell, [
      [1, 1],
      [0, 0],
    ]);
    outcomes.delete(cell.tuning[1]?.[1]?.key ?? '');
    expect(choose(cell, outcomes)).toEqual({ state: 'open' });
  });
});

describe('pendingRuns', () => {
  it('goes from tuning to the final runs of the chosen setting, and ends', () => {
    const cell = only(plan());
    expect(pendingRuns([cell, cell], new Map())).toEqual(cell.tuning.flat());
    const outcomes = tuned(cell, [
      [0, 0],
      [1, 1],
    ]);
    const finals = pendingRuns([cell], outcomes);
    expect(finals).toEqual(cell.finals[1]);
    for (const { key } of finals) outcomes.set(key, failed);
    expect(pendingRuns([cell], outcomes)).toEqual([]);
  });
});
