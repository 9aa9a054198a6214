import { readdir, readFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import {
  type Inspection,
  type LabelledImageDataset,
  loadImages,
  parseInspections,
  parseResults,
  type RunResults,
} from '@dynaprompt/benchmarks';
import { openClip } from '@dynaprompt/clip';
import { nullThrows, selectBackend } from '@dynaprompt/core';
import { bundledModels, miniClip } from '@dynaprompt/mini-models';
import type { SweepSummary } from '@dynaprompt/runner';
import { loadAdapter, restorePrompt } from '@dynaprompt/training';

import { Workplace } from '../program.test.fixture.js';

const template = 'a picture of {class}';
const options = 'classes: concepts\nsplit: base-to-novel\nshots: 2\nhead: clip\nsteps: 5\nbatch: 4';
/** The second half of the concepts in their order, as they are said. */
const novelNames = [
  'clothing',
  'office',
  'family',
  'person',
  'person activity',
  'person gesture',
  'person role',
  'face concerned',
  'heart',
  'alphanum',
  'av symbol',
  'transport ground',
];
let place: Workplace;
let data: LabelledImageDataset;
let results: RunResults;

beforeAll(async () => {
  place = await Workplace.open();
  data = await loadImages('openmoji', undefined, {
    seed: 1,
    protocol: { kind: 'few-shot', shots: 2 },
    by: 'concepts',
    heldOut: bundledModels['mini-clip'].heldOut,
    from: import.meta.url,
  });
  await place.write('run.yaml', `${options}\ntask: openmoji\ntemplate: ${template}\nslots: 3\n`);
  const methods = 'frozen,linear-probe,fixed,adap_ins_pos';
  const { code, stdout, stderr } = await place.warm(
    `run --config run.yaml --methods ${methods} --seeds 1 --json --output out`,
  );
  expect({ code, unexpected: stderr.includes('unexpected') }).toEqual({ code: 0, unexpected: false });
  results = parseResults(JSON.parse(stdout), 'stdout');
}, 120_000);

afterAll(() => place.remove());

/** Share of the held-out pictures of novel classes that get their own name, with the prompt of an adapter or without one. */
async function novelAccuracy(adapterName?: string): Promise<number> {
  await selectBackend();
  const adapter =
    adapterName === undefined ? undefined : await loadAdapter(place.path('out', 'adapters', adapterName));
  const prompt = adapter && (await restorePrompt(adapter));
  const conditioned = prompt?.needsFeatures === true;
  const backbone = await openClip(miniClip, { classNames: novelNames, template, reserve: 3, conditioned });
  const half = data.classes.length / 2;
  const pictures = nullThrows(data.test, 'held-out pictures').filter(({ label }) => label >= half);
  let right = 0;
  for (const { id, image, label } of pictures) {
    const example = [{ id, image }];
    const features = conditioned ? await backbone.features(example) : undefined;
    const plan = prompt?.plan(features, 1, { training: false }).plan;
    const logits = await backbone.predict(example, plan, adapter?.parameters.head ?? new Map());
    if (logits.indexOf(Math.max(...logits)) === label - half) right++;
  }
  await backbone.release();
  return right / pictures.length;
}

describe('--head clip --split base-to-novel', () => {
  it('trains on half of the classes, and measures every prompt on the names of the others', async () => {
    expect(results.data.labels).toEqual(data.classes.slice(0, 12));
    expect([results.data.train, results.data.validation]).toEqual([24, 63]);
    for (const [method, adapter] of [
      ['frozen', undefined],
      ['fixed', 'fixed-seed1'],
      ['adap_ins_pos', 'adap_ins_pos-seed1'],
    ] as const) {
      const { final, measures = {} } = nullThrows(results.methods[method], 'the method was run');
      const [base = NaN] = final;
      const novel = await novelAccuracy(adapter);
      expect(measures['base classes']).toEqual(final);
      expect(measures['novel classes']?.[0]).toBeCloseTo(novel, 12);
      expect(measures['harmonic mean']?.[0]).toBeCloseTo(2 / (1 / base + 1 / novel), 12);
    }
    // Its layer knows the base classes alone.
    expect(results.methods['linear-probe']?.measures).not.toHaveProperty('novel classes');
  }, 60_000);

  it('shows the name that was said with the prompt where it went, beside the patches', async () => {
    const file = place.path('out', 'inspections.json');
    const inspections = parseInspections(JSON.parse(await readFile(file, 'utf8')), file);
    expect(new Set(inspections.map(({ method }) => method))).toEqual(new Set(['fixed', 'adap_ins_pos']));
    for (const { method, prediction, prompt, sequence, beside, input } of inspections) {
      const { length, position } = nullThrows(prompt, 'both methods have a prompt');
      const front = method === 'fixed' ? 3 : Math.min(position.choice, length);
      const said = prediction.split('/')[1]?.replaceAll('-', ' ');
      expect(wordsOf(sequence)).toEqual(
        ['[CLS]', ...promptsOf(1, front), said, ...promptsOf(front + 1, length), '[SEP]'].join(' '),
      );
      expect(beside).toEqual(['[CLS]', { patches: [0, 64] }]);
      expect(input).toMatchObject({ kind: 'picture', rows: 8, columns: 8 });
    }
  });

  it.each(['fixed', 'linear-probe'])(
    'answers from the saved adapter of %s as the run did',
    async (method) => {
      const file = place.path('out', 'predictions', `${method}-seed1.jsonl`);
      const lines = (await readFile(file, 'utf8')).split('\n').slice(0, 2);
      const said = lines.map((line) => JSON.parse(line) as { id: string; probabilities: readonly number[] });
      const paths = said.map(({ id }) => {
        const picture = nullThrows(data.test, 'held-out pictures').find((one) => one.id === id)?.image;
        return picture?.kind === 'file' ? picture.path : '';
      });
      const { stdout } = await place.warm(`predict out/adapters/${method}-seed1 ${paths.join(' ')} --json`);
      const answers = stdout.trimEnd().split('\n');
      expect(answers).toHaveLength(2);
      for (const [index, line] of answers.entries()) {
        const answer = JSON.parse(line) as { probabilities: Readonly<Record<string, number>> };
        expect(Object.keys(answer.probabilities)).toEqual(data.classes.slice(0, 12));
        Object.values(answer.probabilities).forEach((probability, label) => {
          expect(probability).toBeCloseTo(said[index]?.probabilities[label] ?? NaN, 5);
        });
      }
    },
  );
});

describe('sweep', () => {
  it('crosses presets, each with slots of its own, and does what has no prompt once', async () => {
    const own = 'learningRates: { prompt: 0.005 }\ntemplate: a picture of {class}\nprompts: [coop, vpt]';
    const indented = `${options}\n${own}`.replaceAll('\n', '\n  ');
    await place.write(
      'sweep.yaml',
      `tasks: [openmoji]\nmethods: [frozen, fixed]\nseeds: [1]\noptions:\n  ${indented}\n`,
    );
    const { code, stdout, stderr } = await place.warm('sweep --config sweep.yaml --workers 1 --output swept');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const summary = JSON.parse(await readFile(place.path('swept', 'summary.json'), 'utf8')) as SweepSummary;
    expect(summary.jobs).toEqual({ planned: 3, finished: 3, failed: 0 });
    expect(summary.rows.map(({ method, varied }) => [method, varied.prompts])).toEqual([
      ['frozen', 'coop'],
      ['fixed', 'coop'],
      ['frozen', 'vpt'],
      ['fixed', 'vpt'],
    ]);
    for (const { method, measures, trainableParameters, varied } of summary.rows) {
      if (method === 'frozen') {
        expect(measures?.['novel classes']).toEqual(results.methods.frozen?.measures?.['novel classes']);
      } else expect(trainableParameters).toBe((varied.prompts === 'coop' ? 16 : 8) * 192);
    }
    expect(stdout).toMatch(/base classes +novel classes +harmonic mean/);
    expect(await readdir(place.path('swept', 'results'))).toHaveLength(3);
  }, 60_000);
});

function promptsOf(first: number, last: number): readonly string[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => `p${first + index}`);
}

/** Tokens as words again: `mamm ##al` is `mammal`. */
function wordsOf(sequence: Inspection['sequence']): string {
  const tokens = sequence.map((part) =>
    typeof part === 'string' ? part : 'prompt' in part ? `p${part.prompt}` : 'patches',
  );
  return tokens.join(' ').replaceAll(' ##', '');
}
