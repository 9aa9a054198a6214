import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Runner } from '@dynaprompt/conformance';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runInspectModel } from '../inspect-model/command.js';
import { blocksOf, runGuide, type GuideRun, type GuideScene } from './guide-blocks.js';
import { repositoryFiles } from '../packages/workspace.js';
import { writeTimeSeriesModel } from './time-series-model.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const guides = join(root, 'docs/guides');
const names = readdirSync(guides).filter((name) => name.endsWith('.md'));
const folder = mkdtempSync(join(tmpdir(), 'dynaprompt-guides-'));
const pulse = join(folder, 'pulse');
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Checks that a guide registers with its test runner. */
const checks: (readonly [title: string, run: () => Promise<void>])[] = [];
const runner: Runner = {
  describe: (_, body) => {
    body();
  },
  it: (title, body) => checks.push([title, body]),
  afterAll: (body) => checks.push(['releases', body]),
};
/** Where openmoji is installed. */
const openmoji = { 'import.meta.url': JSON.stringify(import.meta.url) };
/**
 * What guides need to run, in small where nothing is said of what comes out; those with code of their own that are not named here
 * run as they are.
 */
const scenes: Readonly<Record<string, GuideScene>> = {
  'tune-text.md': {
    replaced: {
      "'adapters/spam'": JSON.stringify(join(folder, 'spam')),
      'limit: 160, validationLimit: 80': 'limit: 32, validationLimit: 16',
      'steps: 24': 'steps: 4',
    },
  },
  'tune-clip.md': { replaced: { ...openmoji, 'shots: 4': 'shots: 2', 'steps: 6': 'steps: 2' } },
  'tune-vision.md': { replaced: { ...openmoji, 'shots: 8': 'shots: 2', 'steps: 16': 'steps: 3' } },
  'write-an-adapter.md': {
    replaced: { "'models/pulse'": JSON.stringify(pulse) },
    modules: { '@jest/globals': runner as unknown as Readonly<Record<string, unknown>> },
  },
};

beforeAll(() => {
  writeTimeSeriesModel(pulse, 1);
});

describe('every guide', () => {
  const runs = new Map<string, GuideRun>();

  it.each(names)(
    '%s: its code runs',
    async (name) => {
      runs.set(name, await runGuide(join(guides, name), scenes[name]));
    },
    300_000,
  );

  it.each(names)('%s: its links lead to files', (name) => {
    const links = [...readFileSync(join(guides, name), 'utf8').matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)];
    const broken = links
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(join(guides, target)));
    expect(broken).toEqual([]);
  });

  it.each(names)('%s: the folders and files of the repository that it names are there', (name) => {
    const text = readFileSync(join(guides, name), 'utf8');
    const named = [...text.matchAll(/`((?:packages|apps|tools)\/[\w./-]+)`/g)].map(([, path = '']) => path);
    const made = ['packages/pulse'];
    expect(named.filter((path) => !made.includes(path) && !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(names)('%s: its commands are scripts, with options that there are', (name) => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const known = knownFlags();
    const lines = blocksOf(join(guides, name))
      .filter(({ language }) => language === 'sh')
      .flatMap(({ code }) => code.replaceAll('\\\n', ' ').split('\n'));
    for (const line of lines) {
      const [, script, words = ''] = /^npm run ([\w-]+)(?: -- ([^#]*))?/.exec(line) ?? [];
      if (script === undefined) continue;
      expect(Object.keys(scripts)).toContain(script);
      const flags = words.match(/--[a-z-]+/g) ?? [];
      expect(flags.filter((flag) => !known.has(flag))).toEqual([]);
    }
  });

  describe('write-an-adapter.md', () => {
    it('shows what inspect-model says', async () => {
      const lines: string[] = [];
      const code = await runInspectModel([pulse], {
        print: (line) => void lines.push(line),
        complain: (line) => void lines.push(line),
      });
      expect(code).toBe(0);
      const blocks = blocksOf(join(guides, 'write-an-adapter.md')).filter(
        ({ language }) => language === 'text',
      );
      const shown = blocks.flatMap((block) => block.code.trimEnd().split('\n'));
      expect(shown.length).toBeGreaterThan(3);
      for (const line of shown) expect(lines).toContain(line);
    });

    it('makes an adapter that passes the conformance suite', async () => {
      expect(checks.length).toBeGreaterThan(15);
      for (const [, check] of checks) await check();
    });

    it('tunes a prompt that is better than guessing', () => {
      const { printed = [] } = runs.get('write-an-adapter.md') ?? {};
      const [, accuracy] = /^accuracy ([\d.]+)$/.exec(String(printed[0]?.[0])) ?? [];
      expect(Number(accuracy)).toBeGreaterThan(0.8);
    });

    it('makes an adapter that refuses what it cannot read', async () => {
      const { openPulse } = runs.get('write-an-adapter.md')?.files.get('./open-pulse.js') as {
        openPulse: (
          folder: string,
          options: object,
        ) => Promise<{ features: (examples: object[]) => Promise<unknown>; release: () => Promise<void> }>;
      };
      const backbone = await openPulse(pulse, { reserve: 4, classes: 2 });
      await expect(backbone.features([{ values: new Float32Array(3) }])).rejects.toThrow(/it has 1.5 steps/);
      await backbone.release();
    });
  });
});

describe('run-a-sweep.md', () => {
  it('has a sweep that runs', async () => {
    const [sweep] = blocksOf(join(guides, 'run-a-sweep.md')).filter(({ language }) => language === 'yaml');
    // The same sweep in small.
    const changes = [
      [/steps: \d+/, 'steps: 1\n  limit: 20\n  validationLimit: 10'],
      [/seeds: \[.*\]/, 'seeds: [1]'],
    ] as const;
    const small = changes.reduce((text, [from, to]) => {
      expect(text).toMatch(from);
      return text.replace(from, to);
    }, sweep?.code ?? '');
    writeFileSync(join(folder, 'sweep.yaml'), small);
    const words = ['sweep', '--config', 'sweep.yaml', '--output', 'results/spam', '--workers', '1'];
    const { code, output } = await glue(words);
    expect({ code, output }).toMatchObject({ code: 0 });
    const results = join(folder, 'results/spam');
    for (const file of ['results', 'sweep.jsonl', 'summary.json'])
      expect([file, existsSync(join(results, file))]).toEqual([file, true]);
    // The probe has no prompt, so its rate; the others cross batches and rates.
    const lines = readFileSync(join(results, 'sweep.jsonl'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(2 + 2 * 2 * 2);
    expect(readdirSync(join(results, 'results'))).toHaveLength(lines.length);
  }, 300_000);
});

/** Flags that a command of the repository declares. */
function knownFlags(): ReadonlySet<string> {
  const sources = repositoryFiles(root).filter(
    (file) => /^(packages|apps|tools)\/.*\.ts$/.test(file) && !file.includes('.test.'),
  );
  const declared = sources.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/'(?:-\w, )?(--[a-z-]+)(?: [<[][^']*)?'/g)].map(
      ([, flag = '']) => flag,
    ),
  );
  return new Set(declared);
}

/** Runs the built command line. */
function glue(words: readonly string[]): Promise<{ code: number | null; output: string }> {
  const program = join(root, 'apps/glue/dist/main.js');
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DYNAPROMPT_CACHE: join(folder, 'cache') };
    const child = spawn(process.execPath, [program, ...words], { cwd: folder, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (part: Buffer) => (output += part.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, output });
    });
  });
}
