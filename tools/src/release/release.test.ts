import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { release } from './release.js';
import { nextVersion } from './versions.js';

let root: string;
let registry: Server;
let received: { name: string; versions: Record<string, { dependencies?: Record<string, string> }> }[];
let lines: string[];

const write = (file: string, text: string): void => {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
};
const json = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<string, unknown>;
const git = (...words: string[]): void => {
  execFileSync('git', words, { cwd: root, stdio: 'ignore' });
};
const run = (step: string, dryRun: boolean): Promise<void> =>
  release(root, { step, dryRun, date: '2026-03-01' }, (line) => lines.push(line));

/** A workspace of two packages, the first of which needs the second, and tools that are not published. */
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'dynaprompt-release-test-'));
  [received, lines] = [[], []];
  registry = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (request.method === 'PUT')
        received.push(JSON.parse(Buffer.concat(parts).toString()) as (typeof received)[0]);
      response.writeHead(request.method === 'PUT' ? 201 : 404).end('{}');
    });
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  write('.npmrc', `registry=http://${host}/\n//${host}/:_authToken=secret\n`);
  write('.gitignore', 'node_modules\n');
  const files = ['dist'];
  const dependencies = { '@house/base': '0.1.0', zod: '^4.0.0' };
  write(
    'package.json',
    JSON.stringify({ name: 'house', version: '0.1.0', private: true, workspaces: ['packages/*'] }),
  );
  write(
    'packages/app/package.json',
    JSON.stringify({ name: '@house/app', version: '0.1.0', files, dependencies }),
  );
  write('packages/base/package.json', JSON.stringify({ name: '@house/base', version: '0.1.0', files }));
  write(
    'tools/package.json',
    JSON.stringify({ name: '@house/tools', version: '0.1.0', private: true, dependencies }),
  );
  for (const folder of ['packages/app', 'packages/base', 'tools']) {
    write(`${folder}/tsconfig.json`, '{}');
    write(`${folder}/README.md`, '# Name\n');
    write(`${folder}/dist/index.js`, 'export {};\n');
    write(`${folder}/dist/index.d.ts`, 'export {};\n');
  }
  const packages = { '': { version: '0.1.0' }, 'packages/app': { version: '0.1.0', dependencies } };
  write('package-lock.json', JSON.stringify({ name: 'house', version: '0.1.0', packages }));
  write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n- Roofs.\n\n## 0.1.0 (2026-01-01)\n\n- Walls.\n');
  git('init');
  git('add', '.');
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-m', 'all');
});

afterEach(() => {
  registry.close();
  rmSync(root, { recursive: true, force: true });
});

describe('a release', () => {
  it('says in a dry run what would be published, and changes nothing', async () => {
    await run('minor', true);
    const text = lines.join('\n');
    expect(text).toContain('0.1.0 → 0.2.0, 2 packages');
    expect(text.indexOf('@house/base@0.2.0')).toBeLessThan(text.indexOf('@house/app@0.2.0'));
    expect(text.indexOf('@house/base@0.2.0')).toBeGreaterThan(0);
    expect(text).toContain('- Roofs.');
    expect(text).not.toContain('@house/tools');
    expect(text).not.toContain('Walls');
    expect(received).toEqual([]);
    expect(execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })).toBe('');
  });

  it('publishes all packages with one version, those first that others need', async () => {
    await run('minor', false);
    expect(received.map(({ name }) => name)).toEqual(['@house/base', '@house/app']);
    expect(received[1]?.versions['0.2.0']?.dependencies).toEqual({ '@house/base': '0.2.0', zod: '^4.0.0' });
    expect(json('tools/package.json')).toMatchObject({
      version: '0.2.0',
      dependencies: { '@house/base': '0.2.0' },
    });
    expect(json('package-lock.json')).toMatchObject({
      version: '0.2.0',
      packages: { 'packages/app': { version: '0.2.0', dependencies: { '@house/base': '0.2.0' } } },
    });
    expect(readFileSync(join(root, 'CHANGELOG.md'), 'utf8')).toBe(
      '# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-03-01)\n\n- Roofs.\n\n## 0.1.0 (2026-01-01)\n\n- Walls.\n',
    );
  });

  it.each([
    [
      'changes that are not committed',
      'CHANGELOG.md',
      '# Changelog\n\n## Unreleased\n\n- More.\n',
      /not committed/,
    ],
    ['an empty changelog', 'CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n## 0.1.0\n', /nothing stands/],
    [
      'versions that differ',
      'packages/base/package.json',
      '{"name":"@house/base","version":"0.1.1","files":["dist"]}',
      /its version/,
    ],
    ['tests in a package', 'packages/base/dist/a.test.js', '', /a\.test\.js is for development/],
  ])('refuses %s', async (what, file, text, problem) => {
    write(file, text);
    if (!what.startsWith('changes')) {
      git('add', '.');
      git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-m', 'more');
    }
    await expect(run('patch', false)).rejects.toThrow(problem);
    expect(received).toEqual([]);
    expect(json('package.json')).toMatchObject({ version: '0.1.0' });
  });
});

describe('nextVersion', () => {
  it('counts on', () => {
    expect(['major', 'minor', 'patch', '0.3.0'].map((step) => nextVersion('0.1.9', step))).toEqual([
      '1.0.0',
      '0.2.0',
      '0.1.10',
      '0.3.0',
    ]);
  });

  it.each(['0.1.9', '0.1.8', 'next', '1.0'])('refuses %s', (step) => {
    expect(() => nextVersion('0.1.9', step)).toThrow(/@dynaprompt\/tools/);
  });
});
