import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { checkCache, checkHub, checkMemory, checkModels, checkNode, checkRuntime } from './checks.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-doctor-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('checkNode', () => {
  it.each([
    ['20.0.0', 'ok'],
    ['24.1.0', 'ok'],
    ['18.20.1', 'fail'],
  ])('%s: %s', (version, state) => {
    expect(checkNode(version).state).toBe(state);
  });
});

describe('checkRuntime', () => {
  it('fails where the package cannot be reached', () => {
    const { state, text } = checkRuntime(new URL(`file://${folder}/package.json`), '1.0.0');
    expect(state).toBe('fail');
    expect(text).toContain('npm ci');
    expect(text).not.toContain('\n');
  });
});

describe('checkMemory', () => {
  it('finds no more available than there is', () => {
    const { available, total } = checkMemory().details as { available: number; total: number };
    expect(available).toBeGreaterThan(0);
    expect(available).toBeLessThanOrEqual(total);
  });
});

describe('checkCache', () => {
  it('looks at the nearest folder that is there, and makes none', async () => {
    const cache = join(folder, 'not', 'yet');
    const { details } = await checkCache(cache);
    expect(details).toMatchObject({ folder: cache, free: expect.any(Number) });
  });

  it('warns where it cannot be written', async () => {
    expect(await checkCache('/proc/nowhere/cache')).toMatchObject({
      state: 'warn',
      text: expect.stringContaining('DYNAPROMPT_CACHE'),
    });
  });
});

describe('checkHub', () => {
  it('asks for the head of the page, and warns where there is no answer', async () => {
    const methods: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      methods.push(request.method);
      if (request.url === '/silent') return;
      response.writeHead(request.url === '/broken' ? 503 : 200).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await checkHub({ HF_ENDPOINT: url }, 60_000)).toMatchObject({ state: 'ok' });
    expect(await checkHub({ HF_ENDPOINT: `${url}/broken` }, 60_000)).toMatchObject({ state: 'warn' });
    const silent = await checkHub({ HF_ENDPOINT: `${url}/silent` }, 100);
    expect(silent).toMatchObject({ state: 'warn', details: { reason: 'no answer in time' } });
    expect(methods).toEqual(['HEAD', 'HEAD', 'HEAD']);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await checkHub({ HF_ENDPOINT: url }, 60_000)).toMatchObject({
      state: 'warn',
      details: { reason: 'ECONNREFUSED' },
    });
  });
});

describe('checkModels', () => {
  it('tells models from pointers and gaps', async () => {
    const model = async (
      name: string,
      content: string | undefined,
    ): Promise<{ name: string; folder: string }> => {
      const place = join(folder, name);
      await mkdir(join(place, 'onnx'), { recursive: true });
      await writeFile(join(place, 'config.json'), '{}');
      if (content !== undefined) await writeFile(join(place, 'onnx', 'model.onnx'), content);
      return { name, folder: place };
    };
    const sound = await model('sound', 'weights');
    const pointer = await model('pointer', 'version https://git-lfs.github.com/spec/v1\n');
    const gap = await model('gap', undefined);
    expect(checkModels([sound])).toMatchObject({ state: 'ok', text: 'sound' });
    const { state, details } = checkModels([
      sound,
      pointer,
      gap,
      { name: 'none', folder: join(folder, 'none') },
    ]);
    expect(state).toBe('fail');
    expect((details.faults as string[]).map((fault) => fault.split(' ')[0])).toEqual([
      'pointer',
      'gap',
      'none',
    ]);
  });
});
