import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readResults } from '@dynaprompt/benchmarks';
import { type FrozenBackbone, selectBackend } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder, type HeadOptions, type TextExample } from '@dynaprompt/text';
import {
  type Adapter,
  adapterOf,
  FeatureCache,
  importPeft,
  loadAdapter,
  methodNamed,
  restorePrompt,
  saveAdapter,
  trainPrompt,
} from '@dynaprompt/training';

import { trainingRows as rows, Workplace } from './predict/program.test.fixture.js';

const texts = rows.map((row) => row.split('\t')[0] ?? '');
let place: Workplace;
let folder: string;
let backbone: FrozenBackbone<TextExample>;

beforeAll(async () => {
  place = await Workplace.open();
  folder = place.folder;
  await selectBackend();
  backbone = await createTextEncoder(miniBert, { head: { kind: 'linear', classes: 2 }, reserve: 4 });
});

afterAll(async () => {
  await backbone.release();
  await place.remove();
});

/** Logits of one text, as an application would ask for them. */
async function logitsOf(
  adapter: Adapter,
  host: FrozenBackbone<TextExample>,
  text: string,
): Promise<number[]> {
  const prompt = await restorePrompt(adapter);
  const features = await host.features([{ text }]);
  const { plan } = prompt.plan(features, 1, { training: false });
  return [...(await host.predict([{ text }], plan, adapter.parameters.head))];
}

describe('an adapter of a text encoder', () => {
  it.each(['fixed', 'dynamic'])('gives bit-identical logits once it is loaded, %s', async (name) => {
    const examples = texts.map((text, index) => ({ id: text, example: { text }, label: (index + 1) % 2 }));
    const result = await trainPrompt<TextExample>({
      backbone,
      features: new FeatureCache(backbone, { folder: false }),
      train: examples,
      validation: examples,
      method: methodNamed(name, { slots: 4 }),
      metric: (predicted, expected) =>
        Array.from(predicted).filter((label, at) => label === expected[at]).length,
      seed: 1,
      steps: 4,
      batch: 2,
      evaluationBatch: 1,
    });
    const place = join(folder, name);
    const context = { backbone, head: { kind: 'linear' }, task: { name: 'films', metric: 'accuracy' } };
    await saveAdapter(place, adapterOf(result, context));
    const adapter = await loadAdapter(place, { backbone });
    for (const [index, text] of texts.entries()) {
      const expected = [...result.evaluation.logits.subarray(2 * index, 2 * index + 2)];
      expect(await logitsOf(adapter, backbone, text)).toEqual(expected);
    }
  });
});

describe('run and export-peft', () => {
  beforeAll(async () => {
    await place.train(
      '--task sst2 --data . --methods frozen,fixed,dynamic --seeds 1,2 --steps 3 --output out',
    );
  });

  it('saves an adapter for every method and seed, whose score is that of the results', async () => {
    const names = ['frozen', 'fixed', 'dynamic'].flatMap((name) => [`${name}-seed1`, `${name}-seed2`]);
    expect((await readdir(join(folder, 'out', 'adapters'))).sort()).toEqual(names.sort());
    const results = await readResults(join(folder, 'out', 'results.json'));
    for (const [at, seed] of [1, 2].entries()) {
      const adapter = await loadAdapter(join(folder, 'out', 'adapters', `dynamic-seed${seed}`), { backbone });
      expect(adapter).toMatchObject({ method: 'dynamic', seed, steps: 3, task: { name: 'sst2' } });
      expect(adapter.head.labels).toEqual(results.data.labels);
      // The kept options open the head again.
      const head = { kind: adapter.head.kind, ...adapter.head.options } as HeadOptions;
      const host = await createTextEncoder(miniBert, { head, reserve: 4 });
      let right = 0;
      for (const row of rows) {
        const [text = '', label] = row.split('\t');
        const [no = 0, yes = 0] = await logitsOf(adapter, host, text);
        if ((yes > no ? '1' : '0') === label) right++;
      }
      await host.release();
      expect(results.methods.dynamic?.final[at]).toBeCloseTo(right / rows.length, 10);
    }
  });

  it('exports a fixed prompt, and says what PEFT cannot express', async () => {
    const { code, stdout, stderr } = await place.glue('export-peft out/adapters/fixed-seed1 peft');
    expect(code).toBe(0);
    expect(stdout).toContain('4 tokens of width 256');
    expect(stderr).toContain('PEFT puts the prompt before the whole input');
    const { prompt } = (await loadAdapter(join(folder, 'out', 'adapters', 'fixed-seed1'))).parameters;
    expect((await importPeft(join(folder, 'peft'), backbone)).parameters.prompt).toEqual(prompt);
    const { base_model_name_or_path: base } = JSON.parse(
      await readFile(join(folder, 'peft', 'adapter_config.json'), 'utf8'),
    ) as Record<string, unknown>;
    expect(base).toBe('mini-bert');
  });

  it('asks for an entry of a pool, and takes it', async () => {
    const adapter = 'out/adapters/dynamic-seed1';
    const refused = await place.warm(`export-peft ${adapter} pool`);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(refused.stderr).toContain('Choose an entry of the pool, 0..3');
    expect(await readdir(folder)).not.toContain('pool');
    expect((await place.warm(`export-peft ${adapter} pool --entry 2`)).code).toBe(0);
    const again = await place.warm(`export-peft ${adapter} pool --entry 2`);
    expect(again.stderr).toContain('the folder holds files');
    const odd = await place.warm(`export-peft ${adapter} other --entry -1`);
    expect(odd.stderr).toContain('Give a whole number of 0 or more');
    expect((await place.warm('export-peft nowhere other')).stderr).toContain('there is no such file');
  });
});
