import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stream } from '@dynaprompt/core';
import { Graph } from '@dynaprompt/onnx-autodiff';
import { describe, expect, it } from '@jest/globals';
import { readCaseFile } from '../gradcheck/case-file.js';
import { BYTE_EDITS } from './byte-edits.js';
import { GRAPH_EDITS } from './graph-edits.js';
import { mutant } from './mutate.js';
import { tryModel, type Phase } from './pipeline.js';
import { count, describe as describeSummary, emptySummary } from './summary.js';
import { messageBytes, parseMessage, varintBytes } from './wire.js';

const folder = fileURLToPath(new URL('../../../packages/onnx-autodiff/fixtures/bert-17', import.meta.url));
const model = new Uint8Array(readFileSync(join(folder, 'model.onnx')));

describe('wire format', () => {
  it('comes back as it was', () => {
    expect(Buffer.compare(messageBytes(parseMessage(model)), model)).toBe(0);
  });

  it('writes numbers as protobuf does', () => {
    expect([...varintBytes(300n)]).toEqual([0xac, 0x02]);
    expect([...varintBytes(-1n)]).toEqual([...new Array<number>(9).fill(0xff), 1]);
    expect([...varintBytes(0n)]).toEqual([0]);
  });
});

describe('edits', () => {
  const edits = Object.entries({ ...BYTE_EDITS, ...GRAPH_EDITS });

  it.each(edits)(
    '%s: is the same for a seed, another for another, and leaves the original alone',
    (_name, edit) => {
      const before = Buffer.from(model);
      const made = [1, 1, 2, 3, 4, 5].map((seed) => Buffer.from(edit(model, stream(seed, 'test'))));
      expect(made[0]).toEqual(made[1]);
      const different = new Set(made.map((bytes) => bytes.toString('latin1')));
      expect(different.size).toBeGreaterThan(1);
      expect(Buffer.compare(Buffer.from(model), before)).toBe(0);
    },
  );

  it('of the graph keep files that can be parsed', () => {
    for (const [name, edit] of Object.entries(GRAPH_EDITS)) {
      if (name === 'a length') continue;
      for (let seed = 0; seed < 5; seed++) {
        const fields = parseMessage(edit(model, stream(seed, name)));
        expect(fields.map(({ number }) => number)).toEqual(parseMessage(model).map(({ number }) => number));
      }
    }
  });

  it('make cycles', () => {
    const refusals = Array.from({ length: 10 }, (_, seed) => {
      try {
        Graph.read(GRAPH_EDITS.cycle(model, stream(seed, 'cycle')));
        return '';
      } catch (error) {
        return String(error);
      }
    });
    expect(refusals.filter((message) => message.includes('the graph has a cycle')).length).toBeGreaterThan(3);
  });
});

describe('a mutation', () => {
  it('is given by seed and number', () => {
    const [one, again, next] = [mutant(model, 1, 7), mutant(model, 1, 7), mutant(model, 1, 8)];
    expect(again).toEqual(one);
    expect(Buffer.compare(next.bytes, one.bytes)).not.toBe(0);
    const kinds = new Set(Array.from({ length: 200 }, (_, index) => mutant(model, 1, index).edits).flat());
    expect(kinds).toEqual(new Set([...Object.keys(BYTE_EDITS), ...Object.keys(GRAPH_EDITS)]));
  });
});

describe('the way of a model', () => {
  const attempt = async (bytes: Uint8Array): Promise<[Awaited<ReturnType<typeof tryModel>>, Phase[]]> => {
    const scratch = mkdtempSync(join(tmpdir(), 'mutations-'));
    const phases: Phase[] = [];
    try {
      return [await tryModel(bytes, readCaseFile(folder), scratch, (phase) => phases.push(phase)), phases];
    } finally {
      rmSync(scratch, { recursive: true });
    }
  };

  it('ends well for a sound one, and by a typed error where it stops', async () => {
    expect(await attempt(model)).toEqual([
      { outcome: 'fine', phase: 'run' },
      ['prepare', 'differentiate', 'run'],
    ]);
    const [answer, phases] = await attempt(model.slice(0, 1000));
    expect(answer).toMatchObject({ outcome: 'refused', phase: 'prepare', type: 'MalformedModelError' });
    expect(phases).toEqual(['prepare']);
  });
});

describe('the summary', () => {
  const mutation = { index: 3, case: 'bert', edits: ['cycle'] };
  const verdict = { phase: 'run', milliseconds: 5 } as const;

  it('takes untyped errors and what happens before onnxruntime for defects', () => {
    const summary = emptySummary(1, 6);
    const kept = [
      count(summary, { ...verdict, outcome: 'fine' }, mutation),
      count(summary, { ...verdict, outcome: 'refused', type: 'MalformedModelError' }, mutation),
      count(summary, { ...verdict, outcome: 'died', type: 'SIGSEGV' }, mutation),
      count(summary, { ...verdict, outcome: 'untyped', type: 'TypeError', milliseconds: 9 }, mutation),
      count(summary, { ...verdict, outcome: 'timeout', phase: 'prepare' }, mutation),
      count(
        summary,
        { ...verdict, outcome: 'died', type: 'SIGABRT', message: 'JavaScript heap out of memory' },
        mutation,
      ),
    ];
    expect(kept).toEqual([false, false, true, true, true, true]);
    expect(summary).toMatchObject({ fine: 1, refused: { MalformedModelError: 1 }, timeouts: 1 });
    expect(summary.deaths).toEqual({ SIGSEGV: 1, SIGABRT: 1 });
    expect(summary.findings.map(({ what }) => what)).toEqual(['died SIGSEGV']);
    expect(summary.defects).toHaveLength(3);
    expect(summary.slowest?.milliseconds).toBe(9);
    expect(describeSummary(summary)).toContain('defects  3');
  });
});
