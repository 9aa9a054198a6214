import { expect, it } from '@jest/globals';
import { clipPreset, clipPresetNames } from './presets.js';

it.each([
  ['coop', 'text', false, 16, 1, 'fixed'],
  ['cocoop', 'text', true, 4, 1, 'generate'],
  ['vpt', 'vision', false, 8, 1, 'fixed'],
  ['vpt-deep', 'vision', false, 8, 'all', 'fixed'],
  ['maple', 'both', false, 2, 9, 'fixed'],
  ['ivlp', 'both', false, 2, 9, 'fixed'],
] as const)('%s is a plain configuration', (name, prompts, conditioned, slots, layers, kind) => {
  const found = clipPreset(name);
  expect(found).toMatchObject({ prompts, conditioned, reserve: slots });
  expect(found.configuration).toMatchObject({ slots, layers, representation: { kind } });
  expect(clipPresetNames).toContain(name);
});

it('takes options on top, and couples as many layers as the prompt has', () => {
  const found = clipPreset('maple', { slots: 3, layers: 2, position: { level: 'task' } });
  expect(found).toMatchObject({ reserve: 3, layers: 2, coupling: 'linear' });
  expect(found.configuration.position).toMatchObject({ level: 'task', mode: 'split' });
  expect(clipPreset('ivlp', { layers: 2 })).not.toHaveProperty('layers');
  expect(() => clipPreset('maple', { layers: 'all' })).toThrow('couplings need a number of layers');
  expect(() => clipPreset('clip' as 'coop')).toThrow('Use one of coop');
});

it.each([
  ['coop', { position: { level: 'instance' } }, true],
  ['coop', { length: { level: 'task' } }, false],
  ['maple', { representation: { kind: 'select', pool: 2 } }, true],
  ['vpt', { position: { level: 'instance' } }, false],
] as const)('%s %j is conditioned on images where its text tower has to be', (name, overrides, expected) => {
  expect(clipPreset(name, overrides).conditioned).toBe(expected);
});
