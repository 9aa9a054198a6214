import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeTimeSeriesModel } from '../guides/time-series-model.js';
import { fileProblems, importProblems, packageProblems, referenceProblems } from '../packages/checks.js';
import { readMembers } from '../packages/workspace.js';
import { pascalCase } from './adapter-name.js';
import { runNewAdapter } from './command.js';
import { copyWorkspace, type Workspace } from './testing/workspace.js';
import { withMember, type LockedManifest } from './wire.js';

const fixtures = fileURLToPath(new URL('../../../packages/onnx-autodiff/fixtures', import.meta.url));
const LONG = 600_000;
let workspace: Workspace;

beforeAll(() => {
  workspace = copyWorkspace();
}, LONG);
afterAll(() => {
  workspace.remove();
});

/** A folder with a fixture's model, and config.json where one is given. */
function modelFolder(fixture: string, config?: object): string {
  const folder = join(workspace.root, 'models', fixture);
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(fixtures, fixture, 'model.onnx'), join(folder, 'model.onnx'));
  if (config) writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

async function run(...words: string[]): Promise<{ code: number; lines: string[]; complaints: string[] }> {
  const [lines, complaints]: [string[], string[]] = [[], []];
  const code = await runNewAdapter(words, {
    root: workspace.root,
    print: (line) => void lines.push(line),
    complain: (line) => void complaints.push(line),
  });
  return { code, lines, complaints };
}

/** Everything that making a package may change. */
function state(): unknown {
  return [
    readdirSync(join(workspace.root, 'packages')),
    readdirSync(join(workspace.root, 'node_modules/@dynaprompt')),
    readdirSync(workspace.root),
    readFileSync(join(workspace.root, 'package-lock.json'), 'utf8'),
  ];
}

describe('an adapter that was made', () => {
  /** Tokens that see each other, tokens that see those in front of them, steps of a time series, patches. */
  const made = ['my-encoder', 'my-decoder', 'time-series', 'patches'];

  beforeAll(async () => {
    const series = join(workspace.root, 'models/series');
    writeTimeSeriesModel(series, 1, { hasMask: false });
    const models: Readonly<Record<string, string>> = {
      'my-encoder': modelFolder('bert-14', { model_type: 'bert', max_position_embeddings: 32 }),
      'my-decoder': modelFolder('mistral'),
      'time-series': series,
      patches: modelFolder('vit', { model_type: 'vit', image_size: 24 }),
    };
    for (const name of made) {
      const { code, lines, complaints } = await run(name, '--model', models[name] ?? '');
      expect([code, complaints]).toEqual([0, []]);
      expect(lines[0]).toMatch(`packages/${name}: an adapter for models like ${models[name] ?? ''}`);
    }
  }, LONG);

  it('compiles', () => {
    const packages = made.map((name) => `packages/${name}`);
    expect(workspace.run('typescript/bin/tsc', '.', '-b', ...packages)).toEqual({ code: 0, output: '' });
  }, 600_000);

  it.each(made)(
    'passes its tests, conformance among them: %s',
    (name) => {
      const { code, output } = workspace.run(
        'jest/bin/jest.js',
        `packages/${name}`,
        '--verbose',
        '--runInBand',
      );
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output).toMatch(`${name} as a frozen backbone`);
      expect(output).toMatch(/runs the block of the README/);
      expect(Number(/Tests: +(\d+) passed, \d+ total/.exec(output)?.[1])).toBeGreaterThan(20);
    },
    LONG,
  );

  it('is as lint, format and the check of packages want it', async () => {
    const packages = made.map((name) => `packages/${name}`);
    const lint = workspace.run('eslint/bin/eslint.js', '.', '--max-warnings', '0', ...packages);
    expect(lint).toEqual({ code: 0, output: '' });
    const format = workspace.run('prettier/bin/prettier.cjs', '.', '--check', ...packages);
    expect(format).toMatchObject({ code: 0 });
    // The check asks git for the files.
    spawnSync('git', ['init', '--quiet'], { cwd: workspace.root });
    const members = readMembers(workspace.root).filter(({ folder }) => packages.includes(folder));
    expect(members.map(({ folder }) => folder).sort()).toEqual([...packages].sort());
    const all = readMembers(workspace.root);
    const own = referenceProblems(all).filter((problem) =>
      packages.some((folder) => problem.startsWith(`${folder}/`)),
    );
    const published = await Promise.all(members.map((member) => packageProblems(workspace.root, member)));
    expect([
      ...own,
      ...published.flat(),
      ...importProblems(workspace.root),
      ...fileProblems(workspace.root),
    ]).toEqual([]);
  }, 600_000);

  it('has files of its siblings’ size, and nothing of the template', () => {
    for (const name of made) {
      const folder = join(workspace.root, 'packages', name);
      const sources = readdirSync(join(folder, 'src')).map((file) => join(folder, 'src', file));
      expect(sources.length).toBeGreaterThan(10);
      for (const file of [...sources, join(folder, 'README.md'), join(folder, 'package.json')]) {
        const text = readFileSync(file, 'utf8');
        expect(text.split('\n').length).toBeLessThan(150);
        expect(text).not.toMatch(/adapter-?name|TODO|\.\.\/(common|tokens|values|patches|drawn|sequence)\//i);
      }
      expect(existsSync(join(folder, 'fixtures/config.json'))).toBe(true);
    }
  });

  it('says of a model what running it shows', () => {
    const test = (name: string): string =>
      readFileSync(join(workspace.root, 'packages', name, 'src/conformance.test.ts'), 'utf8');
    const model = (name: string): string =>
      readFileSync(join(workspace.root, 'packages', name, 'src/model.ts'), 'utf8');
    expect(model('my-decoder')).toMatch('isCausal: true');
    expect(test('my-decoder')).toMatch('capabilities: { gates: false }');
    expect(model('my-encoder')).toMatch('isCausal: false');
    expect(test('my-encoder')).toMatch('capabilities: {}');
    // Padding of a batch cannot be told to it, so its weights cannot be trained.
    expect(test('time-series')).toMatch('capabilities: { fineTuning: false }');
    expect(test('patches')).toMatch('drawn(1728)');
    expect(test('patches')).toMatch('capabilities: {}');
  });

  it('is a member of the workspace', () => {
    const lock = JSON.parse(readFileSync(join(workspace.root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, unknown>;
    };
    for (const name of made) {
      const link = join(workspace.root, 'node_modules/@dynaprompt', name);
      expect(lstatSync(link).isSymbolicLink()).toBe(true);
      expect(realpathSync(link)).toBe(join(workspace.root, 'packages', name));
      expect(lock.packages[`node_modules/@dynaprompt/${name}`]).toEqual({
        resolved: `packages/${name}`,
        link: true,
      });
      expect(lock.packages[`packages/${name}`]).toMatchObject({
        name: `@dynaprompt/${name}`,
        version: '0.1.0',
      });
    }
  });

  it('is not made twice', async () => {
    const before = state();
    const { code, complaints } = await run('time-series', '--model', join(workspace.root, 'models/series'));
    expect([code, complaints]).toEqual([
      1,
      [expect.stringMatching(/^ConfigurationError: .*"time-series".* is taken/)],
    ]);
    expect(state()).toEqual(before);
  });
});

describe('what is refused leaves nothing', () => {
  it.each([
    ['a package that is there', 'core', 'vit', /ConfigurationError: .*taken by packages\/core/],
    ['a name that is none', 'Not A Name', 'vit', /ConfigurationError: .*no name for a package/],
    ['a path for a name', '../up', 'vit', /ConfigurationError: .*no name for a package/],
    ['a model that attends in windows', 'windows', 'swin', /ModelError: .*cannot be tuned: .*windows/],
    ['half of a pair', 'half', 't5-decoder', /ModelError: .*cannot be tuned: .*encoder takes the prompts/],
    ['two branches', 'merged', 'gpt2-merged', /ModelError: @dynaprompt\//],
    ['a cache', 'cached', 'llama', /ModelError: @dynaprompt\/tools: .*not known: past_key_values/],
    ['embeddings of another width', 'narrow', 'electra', /ModelError: .*32 wide and its embeddings 16/],
    [
      'pictures of a size that nobody tells',
      'size',
      'beit',
      /ModelError: @dynaprompt\/tools: .*how large pixel_values/,
    ],
  ])('%s', async (_, name, fixture, reason) => {
    const model = modelFolder(fixture);
    const before = state();
    const { code, lines, complaints } = await run(name, '--model', model);
    expect([code, lines]).toEqual([1, []]);
    expect(complaints).toEqual([expect.stringMatching(reason)]);
    expect(state()).toEqual(before);
  });

  it('a folder that is none, a file, a truncated model', async () => {
    const cut = modelFolder('gpt2');
    const file = join(cut, 'model.onnx');
    const before = state();
    writeFileSync(file, readFileSync(file).subarray(0, 5000));
    for (const model of [join(workspace.root, 'nowhere'), file, cut]) {
      const { code, complaints } = await run('refused', '--model', model);
      expect([code, complaints]).toEqual([1, [expect.stringMatching(/^\w+Error: @dynaprompt\//)]]);
    }
    expect((await run('refused')).code).toBe(1);
    expect(state()).toEqual(before);
  });

  it('a workspace whose lock file cannot be read', async () => {
    const lock = join(workspace.root, 'package-lock.json');
    const text = readFileSync(lock, 'utf8');
    writeFileSync(lock, '{');
    try {
      const before = state();
      const { code, complaints } = await run('unlocked', '--model', modelFolder('bert-11'));
      expect([code, complaints]).toEqual([
        1,
        [expect.stringMatching(/ConfigurationError: .*package-lock\.json/)],
      ]);
      expect(state()).toEqual(before);
    } finally {
      writeFileSync(lock, text);
    }
  });
});

it('a lock file gets the entries that npm writes, at their places', () => {
  const text = readFileSync(fileURLToPath(new URL('../../../package-lock.json', import.meta.url)), 'utf8');
  for (const name of ['clip', 'vision', 'backbone']) {
    const lock = JSON.parse(text) as { packages: Record<string, unknown> };
    const member = lock.packages[`packages/${name}`] as LockedManifest;
    Reflect.deleteProperty(lock.packages, `packages/${name}`);
    Reflect.deleteProperty(lock.packages, `node_modules/@dynaprompt/${name}`);
    expect(withMember(JSON.stringify(lock), name, member)).toBe(text);
  }
});

it.each([
  ['pulse', 'Pulse'],
  ['time-series-2', 'TimeSeries2'],
])('%s becomes %s', (name, pascal) => {
  expect(pascalCase(name)).toBe(pascal);
});
