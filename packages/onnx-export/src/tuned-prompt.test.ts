import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  ConfigurationError,
  createDynamicPrompt,
  DataError,
  type DynamicPrompt,
  type ParameterTensor,
} from '@dynaprompt/core';
import { checkExportable, promptOfTask, type TunedPrompt } from './tuned-prompt.js';

let prompt: DynamicPrompt;

beforeAll(async () => {
  const configuration = {
    slots: 3,
    position: { level: 'instance' },
    length: { level: 'task' },
    representation: { kind: 'select', pool: 2 },
    initialisation: { kind: 'uniform' },
  } as const;
  prompt = await createDynamicPrompt(configuration, { width: 4, seed: 1 });
});

/** The prompt with other options, as a later version might have them. */
function configured(changes: object): TunedPrompt {
  return { ...promptOfTask(prompt), configuration: { ...prompt.configuration, ...changes } };
}

/** The prompt with other parameters; undefined leaves one out. */
function withParameter(name: string, tensor: ParameterTensor | undefined): TunedPrompt {
  const parameters = new Map(prompt.parameters);
  if (tensor) parameters.set(name, tensor);
  else parameters.delete(name);
  return { ...promptOfTask(prompt), parameters };
}

function refusal(attempt: () => unknown): unknown {
  try {
    attempt();
  } catch (failure) {
    return failure;
  }
  throw new Error('nothing was refused');
}

describe('a prompt is exported', () => {
  it('as it is', () => {
    expect(() => {
      checkExportable(promptOfTask(prompt));
    }).not.toThrow();
  });

  it.each([
    [{ memory: 3 }, 'configuration: memory'],
    [{ position: { level: 'instance', mode: 'split', drift: 1 } }, 'configuration.position: drift'],
    [{ position: { level: 'batch', mode: 'split' } }, 'configuration.position.level: "batch"'],
    [{ position: { level: 'task', mode: 'scatter' } }, 'configuration.position.mode: "scatter"'],
    [{ representation: { kind: 'retrieve' } }, 'configuration.representation.kind: "retrieve"'],
    [{ reparameterisation: { kind: 'lstm' } }, 'configuration.reparameterisation.kind: "lstm"'],
    [{ noiseAtEvaluation: true }, 'configuration.noiseAtEvaluation'],
  ])('not with options that it would betray: %o', (changes, problem) => {
    const failure = refusal(() => {
      checkExportable(configured(changes));
    });
    expect(failure).toBeInstanceOf(ConfigurationError);
    expect(String(failure)).toContain(problem);
  });

  it.each([
    ['position.bias', undefined, 'is missing'],
    ['position.weight', { shape: [3, 4], values: new Float32Array(12) }, '[3, 4], not [4, 4]'],
    ['length.bias', { shape: [4], values: new Float32Array(3) }, 'length.bias'],
    ['length.bias', { shape: [4], values: Float32Array.of(0, NaN, 0, 0) }, 'value 1 is NaN'],
    ['length.weight', { shape: [4, 4], values: new Float32Array(16) }, 'no use for it'],
  ])('not with a wrong parameter: %s', (name, tensor, problem) => {
    const failure = refusal(() => {
      checkExportable(withParameter(name, tensor));
    });
    expect(failure).toBeInstanceOf(DataError);
    expect(String(failure)).toContain(problem);
  });

  it('not with statistics of other features', () => {
    const statistics = { mean: new Float32Array(5), std: new Float32Array(5) };
    const failure = refusal(() => {
      checkExportable({ ...promptOfTask(prompt), featureStatistics: statistics });
    });
    expect(failure).toBeInstanceOf(DataError);
  });

  it('for a task that it knows', async () => {
    const shared = await createDynamicPrompt(
      { slots: 2, tasks: 2, position: { level: 'task' }, initialisation: { kind: 'uniform' } },
      { width: 4, seed: 1 },
    );
    shared.parameters.get('position.bias')?.values.set([1, 2, 3, 4, 5, 6]);
    expect(promptOfTask(shared, 1).parameters.get('position.bias')).toEqual({
      shape: [3],
      values: Float32Array.of(4, 5, 6),
    });
    expect(refusal(() => promptOfTask(shared))).toBeInstanceOf(ConfigurationError);
    expect(String(refusal(() => promptOfTask(shared, 2)))).toContain('2 is not one of the 2');
    expect(String(refusal(() => promptOfTask(prompt, 0)))).toContain('trained for one task');
  });
});
