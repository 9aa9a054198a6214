import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ConfigurationError, ModelError } from '@dynaprompt/core';

import { buildSite } from './build-site.js';

const application = fileURLToPath(new URL('../..', import.meta.url));
const description = { format: 1, onnx: { data: ['model.onnx_data'] } };
let folder: string;
let site: string;
let files: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-site-'));
  await writeModel('model');
  site = join(folder, 'site');
  ({ files } = await buildSite(join(folder, 'model'), site));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes an exported folder whose files hold their names. */
async function writeModel(name: string, changes: Readonly<Record<string, string | null>> = {}) {
  const contents: Record<string, string | null> = {
    'dynamic_prompt.json': JSON.stringify(description),
    ...Object.fromEntries(
      ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt'].map((file) => [file, file]),
    ),
    'onnx/model.onnx': 'graph',
    'onnx/model.onnx_data': 'weights',
    'onnx/notes.txt': 'mine',
    ...changes,
  };
  await mkdir(join(folder, name, 'onnx'), { recursive: true });
  for (const [file, content] of Object.entries(contents))
    if (content !== null) await writeFile(join(folder, name, file), content);
}

function read(...names: readonly string[]): Promise<string> {
  return readFile(join(site, ...names), 'utf8');
}

/** Import specifiers of a compiled module. */
function importsOf(code: string): string[] {
  return [...code.matchAll(/^(?:import|export) .* from '([^']+)';$/gm)].map(([, name = '']) => name);
}

async function importMap(): Promise<Readonly<Record<string, string>>> {
  const [, text = ''] = /<script type="importmap">(.*?)<\/script>/s.exec(await read('index.html')) ?? [];
  return (JSON.parse(text) as { readonly imports: Readonly<Record<string, string>> }).imports;
}

describe('a site', () => {
  it('holds the model as it is, and only what belongs to it', async () => {
    const model = files.filter((file) => file.startsWith('model/')).sort();
    expect(model).toEqual(
      [
        'config.json',
        'dynamic_prompt.json',
        'onnx/model.onnx',
        'onnx/model.onnx_data',
        'tokenizer.json',
        'tokenizer_config.json',
        'vocab.txt',
      ].map((file) => `model/${file}`),
    );
    expect(await read('model/onnx/model.onnx_data')).toBe('weights');
    const found = await readdir(site, { recursive: true, withFileTypes: true });
    const present = found
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    expect(present.map((file) => file.slice(site.length + 1)).sort()).toEqual([...files].sort());
  });

  it('has every module that its modules import, and no tests', async () => {
    const map = await importMap();
    const modules = files.filter((file) => file.startsWith('page/'));
    expect(modules).toContain('page/main.js');
    expect(modules.filter((file) => !/^page\/[\w/-]+\.js$/.test(file))).toEqual([]);
    let followed = 0;
    for (const module of modules) {
      for (const name of importsOf(await read(module))) {
        const target = name.startsWith('.') ? posix.join(dirname(module), name) : (map[name] ?? name);
        expect(files).toContain(posix.normalize(target));
        followed++;
      }
    }
    expect(followed).toBeGreaterThan(20);
    for (const target of Object.values(map)) expect(files).toContain(posix.normalize(target));
    const library = await read('library/transformers.web.min.js');
    for (const [, name = ''] of library.matchAll(/from ?"(onnxruntime[^"]*)"/g))
      expect(Object.keys(map)).toContain(name);
  });

  it('allows its import map, and nothing from elsewhere', async () => {
    const page = await read('index.html');
    const [, map = ''] = /<script type="importmap">(.*?)<\/script>/s.exec(page) ?? [];
    const hash = createHash('sha256').update(map).digest('base64');
    const [, policy = ''] = /Content-Security-Policy"\s+content="([^"]+)"/.exec(page) ?? [];
    expect(policy).toContain(`'sha256-${hash}'`);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|\*|unsafe-inline|'unsafe-eval'/);
    const linked = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target = '']) => target);
    for (const target of linked.filter((each) => !each.startsWith('data:'))) expect(files).toContain(target);
    expect(page).not.toMatch(/https?:\/\//);
  });

  it('takes onnxruntime-web of the version that transformers.js was made with', async () => {
    const require = createRequire(import.meta.url);
    const manifest = dirname(dirname(require.resolve('@huggingface/transformers')));
    const versions = await Promise.all(
      [manifest, application].map(async (place) => {
        const text = await readFile(join(place, 'package.json'), 'utf8');
        return (JSON.parse(text) as { dependencies: Record<string, string> }).dependencies['onnxruntime-web'];
      }),
    );
    expect(versions[0]).toBe(versions[1]);
  });

  it('has an element for every id that the page looks up', async () => {
    const page = await read('index.html');
    const scripts = await Promise.all(
      files.filter((file) => file.startsWith('page/')).map((file) => read(file)),
    );
    const ids = scripts.flatMap((code) => [...code.matchAll(/byId\('(\w+)'/g)].map(([, id = '']) => id));
    expect(ids.length).toBeGreaterThan(8);
    expect(ids.filter((id) => !page.includes(`id="${id}"`))).toEqual([]);
  });
});

describe('build refuses', () => {
  it.each<[string, Readonly<Record<string, string | null>>, RegExp]>([
    ['a folder without a description', { 'dynamic_prompt.json': null }, /there is no such file/],
    ['a damaged description', { 'dynamic_prompt.json': '{' }, /cannot be read as JSON/],
    ['a description that is none', { 'dynamic_prompt.json': '3' }, /it is no JSON object/],
    [
      'a saved adapter',
      { 'dynamic_prompt.json': '{"format":"dynaprompt"}' },
      /its format is "dynaprompt", not 1.*exported first/,
    ],
    [
      'a model without its weights',
      { 'onnx/model.onnx_data': null },
      /model.onnx_data: there is no such file/,
    ],
    ['a model without a tokeniser', { 'tokenizer.json': null }, /tokenizer.json: there is no such file/],
  ])('%s', async (title, changes, message) => {
    const name = title.replaceAll(' ', '-');
    await writeModel(name, changes);
    const built = buildSite(join(folder, name), join(folder, 'never'));
    await expect(built).rejects.toThrow(message);
    await expect(built).rejects.toBeInstanceOf(ModelError);
    expect(await readdir(folder)).not.toContain('never');
  });

  it('a folder that holds something', async () => {
    await mkdir(join(folder, 'occupied'));
    await writeFile(join(folder, 'occupied', 'notes.txt'), 'mine');
    const built = buildSite(join(folder, 'model'), join(folder, 'occupied'));
    await expect(built).rejects.toThrow(/the folder is not empty/);
    await expect(built).rejects.toBeInstanceOf(ConfigurationError);
    expect(await readdir(join(folder, 'occupied'))).toEqual(['notes.txt']);
  });
});
