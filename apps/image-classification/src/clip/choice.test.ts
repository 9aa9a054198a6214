import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { clipPresetNames } from '@dynaprompt/clip';
import { parseConfiguration, preset, presetNames } from '@dynaprompt/core';

import { basePromptOf, defaultChoice, requireMethods, towersFor } from './choice.js';

const folder = mkdtempSync(join(tmpdir(), 'dynaprompt-towers-'));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A model that only says how deep its towers are. */
function towers(text: object, vision: object): string {
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ text_config: text, vision_config: vision }));
  return folder;
}

const maple = { prompts: 'maple', clipLayers: null } as const;

describe('basePromptOf', () => {
  it('couples 9 layers, or as many as both towers have, or as many as asked for', () => {
    // mini-clip: 4 layers for texts, 6 for pictures.
    expect(basePromptOf(maple, 'mini-clip')).toMatchObject({ slots: 2, layers: 4 });
    expect(basePromptOf({ ...maple, clipLayers: 3 }, 'mini-clip').layers).toBe(3);
    // 12 is what config.json of CLIP leaves out.
    expect(basePromptOf(maple, towers({}, { num_hidden_layers: 24 })).layers).toBe(9);
    expect(basePromptOf(maple, towers({ num_hidden_layers: 24 }, { num_hidden_layers: 7 })).layers).toBe(7);
    expect(basePromptOf(maple, 'someone/on-the-hub').layers).toBe(9);
    expect(basePromptOf({ prompts: 'coop', clipLayers: null }, 'mini-clip')).toEqual({ slots: 16 });
  });

  it('goes under every method of the core, which stays what it is', () => {
    for (const prompts of clipPresetNames) {
      const base = basePromptOf({ prompts, clipLayers: null }, 'mini-clip');
      for (const name of presetNames) {
        const { position, length, representation } = preset(name, {}, base);
        const own = preset(name);
        expect([position.level, length]).toMatchObject([own.position.level, { level: own.length.level }]);
        if (own.representation.kind !== 'fixed') expect(representation).toEqual(own.representation);
      }
    }
    const cocoop = basePromptOf({ prompts: 'cocoop', clipLayers: null }, 'mini-clip');
    expect(preset('adap_ins_pos', {}, cocoop).representation).toMatchObject({ kind: 'generate' });
  });
});

describe('towersFor', () => {
  it.each([
    ['coop', {}, { prompts: 'text', conditioned: false, reserve: 20 }],
    ['coop', { position: { level: 'task' } }, { prompts: 'text', conditioned: false, reserve: 20 }],
    ['coop', { position: { level: 'instance' } }, { prompts: 'text', conditioned: true, reserve: 20 }],
    ['vpt', { position: { level: 'instance' } }, { prompts: 'vision', conditioned: false, reserve: 20 }],
    [
      'maple',
      { layers: 3, slots: 2 },
      { prompts: 'both', conditioned: false, reserve: 2, coupling: 'linear', layers: 3 },
    ],
  ] as const)('%s with %j', (prompts, configuration, expected) => {
    expect(towersFor(prompts, parseConfiguration(configuration))).toEqual(expected);
  });
});

describe('requireMethods', () => {
  const options = { slots: 2, basePrompt: basePromptOf(maple, 'mini-clip') };

  it.each([
    ['deep', 'couplings need a number of layers'],
    ['fine-tuning', 'weights of dual encoders'],
  ])('refuses %s of prompts in both towers before anything is opened', (method, problem) => {
    const choice = { ...defaultChoice, ...maple };
    expect(() => {
      requireMethods(choice, { ...options, methods: ['fixed', method] });
    }).toThrow(problem);
    expect(() => {
      requireMethods(choice, { ...options, methods: ['frozen', 'linear-probe', 'dynamic'] });
    }).not.toThrow();
  });
});
