import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { miniBert } from '@dynaprompt/mini-models';
import { describe, expect, it } from '@jest/globals';
import { measureMemory, readMemory, type MemoryRequest, type SessionSet } from './memory.js';
import { benchShared, measureInChild } from './shared.js';

const workload = {
  model: join(miniBert, 'onnx', 'model.onnx'),
  batch: 1,
  sequence: 6,
  prompt: 2,
  objective: 'pooled',
  compute: 'fp32',
  threads: 1,
} as const;
/** The built program: a process of its own knows no sources. */
const program = fileURLToPath(new URL('../../dist/bench/memory-child.js', import.meta.url));

describe('memory of two sessions of one model', () => {
  it('is reported as a multiple of that of one, with and without repacked weights', async () => {
    const requests: MemoryRequest[] = [];
    const report = await benchShared(workload, (request) => {
      requests.push(request);
      const sessions = { training: 1, apart: 2, shared: 1.1 }[request.sessions];
      const scale = request.prepack ? 100 : 10;
      const megabytes = {
        rss: scale * sessions,
        pss: 80 + sessions,
        anonymous: scale,
        peakRss: sessions ** 2,
      };
      return Promise.resolve({ provider: 'cpu' as const, megabytes });
    });
    const sets = ['training', 'apart', 'shared'];
    expect(requests.map(({ prepack, sessions }) => [prepack, sessions])).toEqual(
      [true, false].flatMap((prepack) => sets.map((sessions) => [prepack, sessions])),
    );
    const ratios = {
      apart: { rss: 2, pss: 1.012, anonymous: 1, peakRss: 4 },
      shared: { rss: 1.1, pss: 1.001, anonymous: 1, peakRss: 1.21 },
    };
    expect(report).toMatchObject({
      configurations: [
        { prepack: true, ratios, megabytes: { training: { rss: 100 } } },
        { prepack: false, ratios, provider: { asked: 'cpu', used: 'cpu' } },
      ],
    });
  });

  it('is measured in a process of its own for each set of sessions', async () => {
    for (const sessions of ['training', 'apart', 'shared'] as const satisfies readonly SessionSet[]) {
      const { provider, megabytes } = await measureInChild({ ...workload, prepack: true, sessions }, program);
      expect(provider).toBe('cpu');
      // The weights alone take 21 MB, repacked ones besides; how much more depends on the allocator's mood.
      expect(megabytes.anonymous).toBeGreaterThan(21);
      expect(megabytes.rss).toBeGreaterThan(megabytes.anonymous);
    }
  });

  it('is measured after real runs', async () => {
    const { provider, megabytes } = await measureMemory({
      ...workload,
      prepack: false,
      sessions: 'training',
    });
    expect(provider).toBe('cpu');
    expect(megabytes.rss).toBeGreaterThan(megabytes.anonymous);
    expect(megabytes.pss).toBeLessThanOrEqual(megabytes.rss);
    expect(megabytes.peakRss).toBeGreaterThanOrEqual(megabytes.rss * 0.99);
  });

  it('is what Node says of the process too', () => {
    expect(readMemory().rss / (process.memoryUsage().rss / 1e6)).toBeCloseTo(1, 1);
  });
});
