import { describe, expect, it } from '@jest/globals';
import { candidatesOf, fixedCandidateOf, parseConfiguration } from './configuration.js';
import { ConfigurationError } from './errors.js';
import { preset, presetNames } from './presets.js';

describe('parseConfiguration', () => {
  it('fills in the defaults', () => {
    expect(parseConfiguration({})).toEqual({
      slots: 20,
      layers: 1,
      position: { level: 'none', mode: 'split', candidate: 'front' },
      length: { level: 'none', penalty: 0 },
      representation: { kind: 'fixed' },
      reparameterisation: { kind: 'none' },
      initialisation: { kind: 'vocab' },
      temperature: { start: 1, end: 0.5, schedule: 'linear' },
      reluLogits: false,
      noiseAtEvaluation: false,
    });
  });

  it('fills in what depends on other options', () => {
    const configuration = parseConfiguration({
      slots: 8,
      position: { level: 'task', mode: 'insert' },
      length: { level: 'instance' },
    });
    expect(configuration.position).toEqual({ level: 'task', mode: 'insert', anchors: 3 });
    expect(configuration.length).toEqual({
      level: 'instance',
      penalty: 0,
      initial: 8,
      initialProbability: 0.9,
      gateGradient: 'derivative',
    });
    const pooled = parseConfiguration({
      tasks: 3,
      layers: 'all',
      representation: { kind: 'select' },
      reparameterisation: { kind: 'mlp' },
    });
    expect(pooled).toMatchObject({ tasks: 3, layers: 'all' });
    expect(pooled.representation).toEqual({ kind: 'select', pool: 4, mixture: 'soft', balance: 0 });
    expect(pooled.reparameterisation).toEqual({ kind: 'mlp', hidden: 128 });
  });

  it('parses its own output to itself, through JSON', () => {
    for (const name of presetNames) {
      const configuration = preset(name);
      expect(parseConfiguration(JSON.parse(JSON.stringify(configuration)))).toEqual(configuration);
    }
  });

  it.each([
    [{ slots: 0 }, 'configuration.slots', 'at least 1'],
    [{ slots: '20' }, 'configuration.slots', 'type number'],
    [{ layers: 0 }, 'configuration.layers', 'at least 1'],
    [{ layers: 'most' }, 'configuration.layers', "number of layers, or 'all'"],
    [{ tasks: 0 }, 'configuration.tasks', 'at least 1'],
    [{ reparameterisation: { kind: 'lstm' } }, 'configuration.reparameterisation.kind', 'known kind'],
    [
      { reparameterisation: { kind: 'mlp', hidden: 0 } },
      'configuration.reparameterisation.hidden',
      'at least 1',
    ],
    [
      { representation: { kind: 'select', balance: -1 } },
      'configuration.representation.balance',
      'at least 0',
    ],
    [{ representation: { kind: 'fixed', balance: 1 } }, 'configuration.representation', 'Remove balance'],
    [{ length: { gateGradient: 'clipped' } }, 'configuration.length.gateGradient', 'length.level'],
    [
      { length: { level: 'task', gateGradient: 'scaled' } },
      'configuration.length.gateGradient',
      'derivative, clipped',
    ],
    [{ slotz: 20 }, 'configuration', 'Remove slotz'],
    [{ position: { level: 'batch' } }, 'configuration.position.level', 'none, task, instance'],
    [{ position: { anchors: 3 } }, 'configuration.position.anchors', "'insert'"],
    [{ position: { mode: 'insert', anchors: 1 } }, 'configuration.position.anchors', 'at least 2'],
    [{ position: { level: 'task', candidate: 0 } }, 'configuration.position.candidate', "'none'"],
    [{ position: { candidate: 'middle' } }, 'configuration.position.candidate', "'front', 'back'"],
    [{ position: { candidate: 21 } }, 'configuration.position.candidate', '0..20'],
    [{ position: { initial: 'front' } }, 'configuration.position.initial', 'position.candidate'],
    [{ position: { level: 'task', initial: 21 } }, 'configuration.position.initial', '0..20'],
    [{ position: { level: 'task', initial: 'top' } }, 'configuration.position.initial', "'front', 'back'"],
    [
      { position: { level: 'task', initialProbability: 0.5 } },
      'configuration.position.initialProbability',
      'position.initial',
    ],
    [{ length: { penalty: 0.1 } }, 'configuration.length.penalty', 'length.level'],
    [{ length: { initial: 3 } }, 'configuration.length.initial', 'length.level'],
    [{ length: { level: 'task', initial: 21 } }, 'configuration.length.initial', '0..20'],
    [{ length: { level: 'task', penalty: -1 } }, 'configuration.length.penalty', 'at least 0'],
    [{ representation: { kind: 'invent' } }, 'configuration.representation.kind', 'known kind'],
    [{ representation: { kind: 'select', pool: 1 } }, 'configuration.representation.pool', 'at least 2'],
    [{ representation: { kind: 'fixed', rank: 2 } }, 'configuration.representation', 'Remove rank'],
    [{ initialisation: { kind: 'uniform', range: 0 } }, 'configuration.initialisation.range', 'above 0'],
    [{ temperature: { start: 0.2 } }, 'configuration.temperature.end', 'start ≥ end'],
    ['fixed', 'configuration', 'type object'],
  ])('refuses %j and names option and remedy', (input, subject, remedy) => {
    let caught: unknown;
    try {
      parseConfiguration(input);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ConfigurationError);
    expect(caught).toMatchObject({ packageName: '@dynaprompt/core', subject });
    expect((caught as ConfigurationError).remedy).toContain(remedy);
  });

  it('says how many more problems there are', () => {
    expect(() => parseConfiguration({ slots: 0, reluLogits: 1 })).toThrow(/and 1 more/);
  });
});

describe('candidates', () => {
  const fixed = (position: object): (number | undefined)[] => {
    const configuration = parseConfiguration({ slots: 5, position });
    return [candidatesOf(configuration), fixedCandidateOf(configuration)];
  };

  it('counts l + 1 ways to split and C anchors', () => {
    expect(fixed({ level: 'task' })).toEqual([6, undefined]);
    expect(fixed({ level: 'task', mode: 'insert', anchors: 4 })).toEqual([4, undefined]);
  });

  it('reads front, back and an index in either mode', () => {
    expect(fixed({ candidate: 'front' })).toEqual([6, 5]);
    expect(fixed({ candidate: 'back' })).toEqual([6, 0]);
    expect(fixed({ candidate: 2 })).toEqual([6, 2]);
    expect(fixed({ mode: 'insert', candidate: 'front' })).toEqual([3, 0]);
    expect(fixed({ mode: 'insert', candidate: 'back' })).toEqual([3, 2]);
  });
});

describe('preset', () => {
  const published = [
    ['adap_pos', 'task', 'none', 'fixed'],
    ['adap_ins_pos', 'instance', 'none', 'fixed'],
    ['adap_length', 'none', 'task', 'fixed'],
    ['adap_ins_length', 'none', 'instance', 'fixed'],
    ['adap_ins_vec', 'none', 'none', 'select'],
    ['adap_ins_vec_ins_pos', 'instance', 'none', 'select'],
    ['adap_pos_ins_vec', 'task', 'none', 'select'],
  ] as const;

  it('knows the seven methods of the paper, as they are and as the public code has them, and the baselines', () => {
    const levels = presetNames.map((name) => {
      const { position, length, representation } = preset(name);
      return [name, position.level, length.level, representation.kind];
    });
    expect(levels).toEqual([
      ['fixed', 'none', 'none', 'fixed'],
      ['fixed_back', 'none', 'none', 'fixed'],
      ['p_tuning', 'none', 'none', 'fixed'],
      ['deep', 'none', 'none', 'fixed'],
      ['dynamic', 'instance', 'instance', 'select'],
      ...published,
      ...published.map(([name, ...factors]) => [`faithful:${name}`, ...factors]),
    ]);
  });

  it('tells the baselines apart by place, depth and perceptron', () => {
    const fixed = preset('fixed');
    expect(preset('fixed_back')).toEqual({ ...fixed, position: { ...fixed.position, candidate: 'back' } });
    expect(fixedCandidateOf(preset('fixed_back'))).toBe(0);
    expect(preset('p_tuning')).toEqual({ ...fixed, reparameterisation: { kind: 'mlp', hidden: 128 } });
    expect(preset('deep')).toEqual({ ...fixed, layers: 'all' });
  });

  it.each(published.map(([name]) => name))("lays the public code's choices over %s", (name) => {
    expect(preset(`faithful:${name}`)).toEqual({
      ...preset(name),
      reluLogits: true,
      noiseAtEvaluation: true,
      temperature: { start: 1, end: 0.5, schedule: 'published' },
    });
  });

  it('merges overrides option by option, and replaces a section of another kind', () => {
    const merged = preset('dynamic', {
      length: { penalty: 0.01 },
      representation: { kind: 'select', pool: 6 },
    });
    expect(merged.length).toMatchObject({ level: 'instance', penalty: 0.01 });
    expect(merged.representation).toEqual({ kind: 'select', pool: 6, mixture: 'soft', balance: 0 });
    const generated = preset('dynamic', { representation: { kind: 'generate' }, slots: 4 });
    expect(generated.representation).toEqual({ kind: 'generate', rank: 4 });
    expect(generated.slots).toBe(4);
  });

  it('goes on top of another configuration, overrides above both', () => {
    const base = {
      slots: 2,
      layers: 3,
      position: { mode: 'insert' },
      representation: { kind: 'generate', rank: 2 },
    } as const;
    const { slots, layers, position, length, representation } = preset('adap_ins_pos', { slots: 5 }, base);
    expect({ slots, layers, representation }).toEqual({
      slots: 5,
      layers: 3,
      representation: { kind: 'generate', rank: 2 },
    });
    expect(position).toMatchObject({ level: 'instance', mode: 'insert' });
    expect(length.level).toBe('none');
    expect(preset('dynamic', {}, base).representation).toMatchObject({ kind: 'select', pool: 4 });
    expect(preset('deep', {}, base).layers).toBe('all');
  });

  it('refuses unknown names, also those of every object', () => {
    expect(() => preset('toString' as 'fixed')).toThrow(ConfigurationError);
  });
});
