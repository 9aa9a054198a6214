import { describe, expect, it } from '@jest/globals';
import { candidatesOf, fixedCandidateOf, parseConfiguration } from './configuration.js';
import { ConfigurationError } from './errors.js';
import { preset, presetNames } from './presets.js';

describe('parseConfiguration', () => {
  it('fills in the defaults', () => {
    expect(parseConfiguration({})).toEqual({
      slots: 20,
      position: { level: 'none', mode: 'split', candidate: 'front' },
      length: { level: 'none', penalty: 0 },
      representation: { kind: 'fixed' },
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
    });
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
    [{ slotz: 20 }, 'configuration', 'Remove slotz'],
    [{ position: { level: 'batch' } }, 'configuration.position.level', 'none, task, instance'],
    [{ position: { anchors: 3 } }, 'configuration.position.anchors', "'insert'"],
    [{ position: { mode: 'insert', anchors: 1 } }, 'configuration.position.anchors', 'at least 2'],
    [{ position: { level: 'task', candidate: 0 } }, 'configuration.position.candidate', "'none'"],
    [{ position: { candidate: 'middle' } }, 'configuration.position.candidate', "'front', 'back'"],
    [{ position: { candidate: 21 } }, 'configuration.position.candidate', '0..20'],
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
  it('knows the seven methods of the paper, the fixed and the dynamic prompt', () => {
    const levels = presetNames.map((name) => {
      const { position, length, representation } = preset(name);
      return [name, position.level, length.level, representation.kind];
    });
    expect(levels).toEqual([
      ['fixed', 'none', 'none', 'fixed'],
      ['dynamic', 'instance', 'instance', 'select'],
      ['adap_pos', 'task', 'none', 'fixed'],
      ['adap_ins_pos', 'instance', 'none', 'fixed'],
      ['adap_length', 'none', 'task', 'fixed'],
      ['adap_ins_length', 'none', 'instance', 'fixed'],
      ['adap_ins_vec', 'none', 'none', 'select'],
      ['adap_ins_vec_ins_pos', 'instance', 'none', 'select'],
      ['adap_pos_ins_vec', 'task', 'none', 'select'],
    ]);
  });

  it('merges overrides option by option, and replaces a section of another kind', () => {
    const merged = preset('dynamic', {
      length: { penalty: 0.01 },
      representation: { kind: 'select', pool: 6 },
    });
    expect(merged.length).toMatchObject({ level: 'instance', penalty: 0.01 });
    expect(merged.representation).toEqual({ kind: 'select', pool: 6, mixture: 'soft' });
    const generated = preset('dynamic', { representation: { kind: 'generate' }, slots: 4 });
    expect(generated.representation).toEqual({ kind: 'generate', rank: 4 });
    expect(generated.slots).toBe(4);
  });

  it('refuses unknown names, also those of every object', () => {
    expect(() => preset('toString' as 'fixed')).toThrow(ConfigurationError);
  });
});
