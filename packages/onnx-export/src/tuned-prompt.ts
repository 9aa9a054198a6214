import {
  candidatesOf,
  collapse,
  ConfigurationError,
  DataError,
  type DynamicPrompt,
  type ParameterTensor,
} from '@dynaprompt/core';
import { PACKAGE_NAME } from './package-name.js';

/** The parts of a dynamic prompt that its operators are made from. */
export type TunedPrompt = Pick<
  DynamicPrompt,
  'configuration' | 'width' | 'layers' | 'parameters' | 'featureStatistics' | 'needsFeatures'
>;

/** Options that are understood here, by path. What only concerns training may hold anything. */
const KNOWN_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  configuration: [
    'slots',
    'layers',
    'position',
    'length',
    'representation',
    'reparameterisation',
    'initialisation',
    'temperature',
    'reluLogits',
    'noiseAtEvaluation',
  ],
  'configuration.position': ['level', 'mode', 'anchors', 'candidate', 'initial', 'initialProbability'],
  'configuration.length': ['level', 'penalty', 'initial', 'initialProbability', 'gateGradient'],
  'configuration.representation': ['kind', 'pool', 'mixture', 'balance', 'rank'],
  'configuration.reparameterisation': ['kind'],
};

/** Values that are understood of the options that choose. */
const KNOWN_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  'position.level': ['none', 'task', 'instance'],
  'position.mode': ['split', 'insert'],
  'length.level': ['none', 'task', 'instance'],
  'representation.kind': ['fixed', 'select', 'generate'],
  'representation.mixture': ['soft', 'hard', undefined],
  'reparameterisation.kind': ['none'],
};

/**
 * A prompt for one task, without what only training needs: its reparameterisation is applied once and for all, and of the
 * biases of several tasks those of `task` are kept. The tensors of the given prompt stay as they are.
 * @throws ConfigurationError if several tasks share the prompt and `task` is none of theirs, if there is one task and `task`
 * is given, or if a reparameterised prompt meets no tfjs backend.
 */
export function promptOfTask(prompt: DynamicPrompt, task?: number): TunedPrompt {
  const plain = prompt.configuration.reparameterisation.kind === 'none' ? prompt : collapse(prompt);
  const { tasks, ...configuration } = plain.configuration;
  const { width, layers, featureStatistics, needsFeatures } = plain;
  const shared = { configuration, width, layers, featureStatistics, needsFeatures };
  if (tasks === undefined) {
    if (task === undefined) return { ...shared, parameters: plain.parameters };
    throw wrongTask(`${task} is given, but the prompt was trained for one task`, 'Leave it out');
  }
  if (task === undefined || !Number.isInteger(task) || task < 0 || task >= tasks) {
    throw wrongTask(
      `${task ?? 'none'} is not one of the ${tasks} that share the prompt`,
      `Give an index in 0..${tasks - 1}`,
    );
  }
  const ofTask = ([name, tensor]: [string, ParameterTensor]): [string, ParameterTensor] => {
    if (!name.endsWith('.bias')) return [name, tensor];
    const count = tensor.values.length / tasks;
    return [name, { shape: [count], values: tensor.values.slice(task * count, (task + 1) * count) }];
  };
  return { ...shared, parameters: new Map([...plain.parameters].map(ofTask)) };
}

function wrongTask(problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName: PACKAGE_NAME, subject: 'task', problem, remedy });
}

/**
 * Refuses a prompt that cannot be written as operators that decide alike.
 * @throws ConfigurationError for options that are not understood, and for choices that are sampled at evaluation.
 * @throws DataError for parameters that are missing, superfluous, of another shape or not finite.
 */
export function checkExportable(prompt: TunedPrompt): void {
  const { configuration } = prompt;
  checkOptions('configuration', configuration);
  for (const part of ['position', 'length', 'representation', 'reparameterisation'] as const) {
    checkOptions(`configuration.${part}`, configuration[part]);
  }
  for (const [path, known] of Object.entries(KNOWN_VALUES)) {
    const [part = '', option = ''] = path.split('.');
    const parts = configuration as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    const value = parts[part]?.[option];
    if (!known.includes(value)) throw unknown(`configuration.${path}`, `${JSON.stringify(value)} is`);
  }
  if (configuration.noiseAtEvaluation) {
    throw new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: 'configuration.noiseAtEvaluation',
      problem: 'choices are sampled at evaluation, and an exported model takes the most probable ones',
      remedy: 'Set it to false and evaluate again before exporting',
    });
  }
  checkParameters(prompt);
}

function checkOptions(path: string, options: object): void {
  const set = Object.entries(options).filter(([, value]) => value !== undefined);
  const foreign = set.map(([name]) => name).filter((name) => !KNOWN_OPTIONS[path]?.includes(name));
  if (foreign.length > 0) throw unknown(path, `${foreign.join(', ')}: such options are`);
}

function unknown(subject: string, what: string): ConfigurationError {
  return new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject,
    problem: `${what} not known to the export`,
    remedy: 'Export with a version that knows them, or train without them',
  });
}

/** Names and shapes of the tensors that the operators read. */
function expectedShapes({ configuration, width, layers }: TunedPrompt): Map<string, readonly number[]> {
  const { slots, position, length, representation } = configuration;
  const shapes = new Map<string, readonly number[]>();
  const addLogits = (name: string, count: number, level: string): void => {
    if (level === 'instance') shapes.set(`${name}.weight`, [count, width]);
    if (level !== 'none') shapes.set(`${name}.bias`, [count]);
  };
  const rows = layers === 1 ? [slots, width] : [layers, slots, width];
  addLogits('position', candidatesOf(configuration), position.level);
  addLogits('length', slots + 1, length.level);
  if (representation.kind === 'select') {
    shapes.set('representation.pool', [representation.pool, ...rows]);
    addLogits('representation', representation.pool, 'instance');
    return shapes;
  }
  shapes.set('representation.prompt', rows);
  if (representation.kind === 'generate') {
    addLogits('representation.update', layers * slots * representation.rank, 'instance');
    shapes.set('representation.basis', [representation.rank, width]);
  }
  return shapes;
}

function checkParameters(prompt: TunedPrompt): void {
  const { width, parameters, featureStatistics } = prompt;
  const expected = expectedShapes(prompt);
  const superfluous = [...parameters.keys()].filter((name) => !expected.has(name));
  if (superfluous.length > 0) throw unfit(superfluous.join(', '), 'the export has no use for it');
  for (const [name, shape] of expected) {
    const parameter = parameters.get(name);
    if (parameter === undefined) throw unfit(name, 'it is missing');
    const count = shape.reduce((product, extent) => product * extent, 1);
    if (parameter.shape.join() !== shape.join() || parameter.values.length !== count) {
      throw unfit(name, `its shape is [${parameter.shape.join(', ')}], not [${shape.join(', ')}]`);
    }
    checkFinite(name, parameter.values);
  }
  if (featureStatistics === undefined) return;
  for (const [name, values] of [
    ['mean', featureStatistics.mean],
    ['std', featureStatistics.std],
  ] as const) {
    if (values.length !== width)
      throw unfit(`feature ${name}`, `it has ${values.length} values for width ${width}`);
    checkFinite(`feature ${name}`, values);
  }
}

function checkFinite(name: string, values: Float32Array): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw unfit(name, `value ${index} is ${String(values[index])}`);
}

function unfit(name: string, problem: string): DataError {
  return new DataError({
    packageName: PACKAGE_NAME,
    subject: `parameter ${name}`,
    problem,
    remedy: 'Export the parameters that were trained with this configuration and this backbone',
  });
}
