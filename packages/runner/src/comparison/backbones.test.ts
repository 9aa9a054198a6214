import { describe, expect, it } from '@jest/globals';

import type { FrozenBackbone } from '@dynaprompt/core';

import { backboneFor, featureHosts, releaseBackbones } from './backbones.js';

function backbone(name: string, released: string[] = []): FrozenBackbone<string> {
  return {
    description: { name },
    release: () => {
      released.push(name);
      return Promise.resolve();
    },
  } as unknown as FrozenBackbone<string>;
}

describe('backboneFor', () => {
  it('is the probe for methods without a prompt alone, and where there is one', async () => {
    const [own, probe] = [backbone('own'), backbone('probe')];
    const configured = { name: 'linear-probe', configuration: {} };
    expect(await backboneFor({ backbone: own, probe }, 'linear-probe')).toBe(probe);
    expect(await backboneFor({ backbone: own, probe }, 'frozen')).toBe(probe);
    expect(await backboneFor({ backbone: own, probe }, 'fixed')).toBe(own);
    expect(await backboneFor({ backbone: own, probe }, configured)).toBe(own);
    expect(await backboneFor({ backbone: own }, 'linear-probe')).toBe(own);
  });
});

describe('featureHosts', () => {
  it('asks a task that tells methods apart, and gives each backbone one cache', async () => {
    const [shared, conditioned] = [backbone('shared'), backbone('conditioned')];
    const instance = { name: 'mine', configuration: { position: { level: 'instance' } } } as const;
    const hostFor = featureHosts({
      backbone: backbone('main'),
      probe: backbone('probe'),
      forMethod: (method) => Promise.resolve(method === instance ? conditioned : shared),
    });
    const first = await hostFor('linear-probe');
    expect(first.backbone).toBe(shared);
    expect(await hostFor('fixed')).toBe(first);
    const other = await hostFor(instance);
    expect(other.backbone).toBe(conditioned);
    expect(other.features).not.toBe(first.features);
  });
});

describe('releaseBackbones', () => {
  it('frees all that there are', async () => {
    const released: string[] = [];
    await releaseBackbones({ backbone: backbone('own', released), probe: backbone('probe', released) });
    await releaseBackbones({ backbone: backbone('alone', released) });
    expect(released).toEqual(['own', 'probe', 'alone']);
  });
});
