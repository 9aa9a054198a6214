import { ConfigurationError, parseConfiguration, type PromptConfiguration } from '@dynaprompt/core';

import type { Adapter } from './adapter.js';
import { Fields, unusableFile } from './fields.js';

/** What stands in `dynamic_prompt.json`: everything but the tensors. */
export interface Description extends Omit<Adapter, 'parameters' | 'featureStatistics' | 'optimiser'> {
  /** Steps that the saved optimiser state has seen; absent where there is none. */
  readonly optimiserStep: number | undefined;
  /** Hexadecimal SHA-256 of the file of tensors. */
  readonly tensors: string;
}

const format = 'dynaprompt-adapter';
const formatVersion = 1;

/** The text of `dynamic_prompt.json`. */
export function writeDescription(description: Description): string {
  const { method, configuration, seed, steps, backbone, head, task, versions } = description;
  const { optimiserStep = null, tensors } = description;
  const value = {
    format,
    format_version: formatVersion,
    method,
    configuration: configuration ?? null,
    seed,
    steps,
    optimiser_step: optimiserStep,
    task,
    head,
    backbone,
    versions,
    tensors: { sha256: tensors },
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Reads and checks the content of `dynamic_prompt.json`. @throws DataError naming the file and the field. */
export function readDescription(value: unknown, file: string): Description {
  const fields = new Fields(value, file);
  if (fields.optional('format') !== format) fields.refuse('format', `is not "${format}"`);
  if (fields.count('format_version', 1) > formatVersion) {
    throw unusableFile(file, 'it was written by a later version', 'Update @dynaprompt/training');
  }
  const [backbone, head, task] = [fields.fields('backbone'), fields.fields('head'), fields.fields('task')];
  return {
    method: fields.text('method'),
    configuration: configurationIn(fields.optional('configuration'), file),
    seed: fields.count('seed', Number.MIN_SAFE_INTEGER),
    steps: fields.count('steps', 0),
    optimiserStep: fields.optionalCount('optimiser_step', 0),
    task: {
      name: task.text('name'),
      metric: task.text('metric'),
      index: task.optionalCount('index', 0),
    },
    head: {
      kind: head.text('kind'),
      classes: head.count('classes', 1),
      labels: labelsIn(head),
      options: head.optional('options') === undefined ? {} : head.fields('options').all(),
    },
    backbone: {
      name: backbone.text('name'),
      family: backbone.text('family'),
      revision: backbone.text('revision'),
      ...commitIn(backbone),
      dtype: backbone.text('dtype'),
      width: backbone.count('width', 1),
      layers: backbone.count('layers', 1),
    },
    versions: fields.fields('versions').allTexts(),
    tensors: fields.fields('tensors').text('sha256'),
  };
}

function commitIn(backbone: Fields): { readonly commit?: string } {
  const commit = backbone.optionalText('commit');
  return commit === undefined ? {} : { commit };
}

function labelsIn(head: Fields): readonly string[] {
  const labels = head.texts('labels');
  const classes = head.count('classes', 1);
  if (labels.length === 0 || labels.length === classes) return labels;
  return head.refuse('labels', `has ${labels.length} names for ${classes} classes`);
}

function configurationIn(value: unknown, file: string): PromptConfiguration | undefined {
  if (value === undefined) return undefined;
  try {
    return parseConfiguration(value);
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw unusableFile(file, `${cause.subject}: ${cause.problem}`, cause.remedy, cause);
  }
}
