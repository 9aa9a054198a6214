import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { selectBackend } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { type ExportOptions, exportTunedEncoder, type HeadOptions } from '@dynaprompt/text';
import { loadAdapter, restorePrompt } from '@dynaprompt/training';

import { Workplace } from '../predict/program.test.fixture.js';

let place: Workplace;
const labels = ['negative', 'positive'];
const linear: HeadOptions = { kind: 'linear', classes: 2 };

beforeAll(async () => {
  place = await Workplace.open();
  await place.train('--task sst2 --data . --methods frozen,dynamic --output out');
  await place.train('--task sst2 --data . --methods fixed --head verbalizer --output words');
  await place.train('--task sst2,mr --data .,. --methods dynamic --output both');
  await place.train('--task sst2 --data . --methods dynamic --compute int8 --output int8');
  await selectBackend();
}, 300_000);

afterAll(() => place.remove());

function json(...names: readonly string[]): Promise<Record<string, unknown>> {
  return readFile(place.path(...names), 'utf8').then((text) => JSON.parse(text) as Record<string, unknown>);
}

/** Bytes of all files, by their paths. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found = await readdir(place.path(folder), { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1')));
  const root = place.path(folder).length + 1;
  return Object.fromEntries(files.map((file, index) => [file.slice(root), texts[index] ?? '']));
}

/** Writes with the library what the program has to write. */
async function exportDirectly(
  adapter: string,
  target: string,
  head: HeadOptions,
  options: ExportOptions = {},
): Promise<void> {
  const { parameters, ...rest } = await loadAdapter(place.path(adapter));
  const prompt = await restorePrompt({ ...rest, parameters });
  const tuned = { prompt, head: parameters.head };
  await exportTunedEncoder(miniBert, { head, reserve: 4 }, tuned, place.path(target), { labels, ...options });
}

describe('export', () => {
  it('writes what the library writes with the options of the training', async () => {
    const adapter = 'out/adapters/dynamic-seed1';
    const { code, stdout, stderr } = await place.glue(`export ${adapter} tuned`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`Tuned model  ${place.path('tuned')} (texts of up to ${128 - 4} tokens)\n`);
    await exportDirectly(adapter, 'direct', linear);
    const [written, direct] = [await contents('tuned'), await contents('direct')];
    expect(Object.keys(written).sort()).toEqual(Object.keys(direct).sort());
    expect(Object.keys(written).filter((file) => written[file] !== direct[file])).toEqual([]);
    expect(await json('tuned', 'config.json')).toMatchObject({ id2label: { 0: 'negative', 1: 'positive' } });
  });

  it('gives out choices, embeds weights and cuts texts where it is asked to', async () => {
    const flags = '--report-choices --weights embed --max-length 16';
    expect(await place.warm(`export out/adapters/dynamic-seed1 choices ${flags}`)).toMatchObject({ code: 0 });
    expect(await json('choices', 'dynamic_prompt.json')).toMatchObject({
      maximumTokens: 16,
      labels,
      onnx: { outputs: ['logits', 'prompt_position', 'prompt_length'], data: [] },
    });
    expect(await readdir(place.path('choices', 'onnx'))).toEqual(['model.onnx']);
  });

  it('links the weights of a backbone on the same file system', async () => {
    await cp(miniBert, place.path('here'), { recursive: true });
    const words = 'export out/adapters/dynamic-seed1 linked --weights link --backbone here --any-revision';
    expect(await place.warm(words)).toMatchObject({ code: 0, stderr: '' });
    const [original, linked] = await Promise.all(
      ['here/onnx/model.onnx', 'linked/onnx/model.onnx_data'].map((file) => stat(place.path(file))),
    );
    expect(linked?.ino).toBe(original?.ino);
  });

  it('takes the wording of a verbaliser along', async () => {
    expect(await place.warm('export words/adapters/fixed-seed1 worded')).toMatchObject({ code: 0 });
    const { head } = await loadAdapter(place.path('words/adapters/fixed-seed1'));
    const wording = { kind: 'verbalizer', ...head.options };
    expect(await json('worded', 'dynamic_prompt.json')).toMatchObject({ head: wording, labels });
  });

  it('exports one of several tasks', async () => {
    expect(await place.warm('export both/adapters/dynamic-seed1 second --task mr')).toMatchObject({
      code: 0,
    });
    await exportDirectly('both/adapters/dynamic-seed1/mr', 'second-direct', linear, { task: 1 });
    expect(await contents('second')).toEqual(await contents('second-direct'));
    expect(await json('second', 'dynamic_prompt.json')).toMatchObject({ task: 1 });
  });

  it('says that int8 arithmetic is not exported', async () => {
    const { code, stderr } = await place.warm('export int8/adapters/dynamic-seed1 from-int8');
    expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 1 });
    expect(stderr).toContain('computes in float32');
  });

  it.each([
    ['out/adapters/dynamic-seed1 occupied', /occupied: the folder is not empty/],
    ['nowhere other', /nowhere.*there is no such file/],
    ['out/adapters other', /only the folders dynamic-seed1, frozen-seed1. Name one adapter/],
    ['out/adapters/frozen-seed1 other', /it is a head alone, without a prompt/],
    ['both/adapters/dynamic-seed1 other', /only the folders mr, sst2/],
    ['both/adapters/dynamic-seed1/mr other --task sst2', /it was trained for mr, not for sst2/],
    ['out/adapters/dynamic-seed1 other --max-length 2000', /2000/],
  ])('refuses %s in one line and writes nothing', async (words, message) => {
    await mkdir(place.path('occupied'), { recursive: true });
    await writeFile(place.path('occupied', 'notes.txt'), 'mine');
    const before = (await readdir(place.path())).sort();
    const { code, stdout, stderr } = await place.warm(`export ${words}`);
    expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
      code: 1,
      stdout: '',
      lines: 1,
    });
    expect(stderr).toMatch(message);
    expect((await readdir(place.path())).sort()).toEqual(before);
    expect(await readdir(place.path('occupied'))).toEqual(['notes.txt']);
  });
});
