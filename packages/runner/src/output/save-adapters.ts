import { join, resolve } from 'node:path';

import {
  type Adapter,
  type AdapterContext,
  adapterOf,
  adapterOfTask,
  type MultitaskResult,
  saveAdapter,
  type TrainingResult,
} from '@dynaprompt/training';

import type { OpenTask } from '../domain.js';

type Versions = Readonly<Record<string, string>>;

/**
 * The adapter of a run, with the parameters after its last step, which its score is of; none where nothing was trained, or the
 * backbone itself.
 */
export function adaptersOf<Example>(
  result: TrainingResult,
  task: OpenTask<Example>,
  versions: Versions,
): readonly Adapter[] {
  const { weights } = result.parameters;
  return weights.size > 0 ? [] : [adapterOf(result, contextOf(task, versions))].filter(isTrained);
}

/** The adapters of a run on several tasks, one for each of them. */
export function adaptersOfTasks<Example>(
  result: MultitaskResult,
  tasks: readonly OpenTask<Example>[],
  versions: Versions,
): readonly Adapter[] {
  return tasks
    .map((task, index) => adapterOfTask(result, index, contextOf(task, versions)))
    .filter(isTrained);
}

/**
 * Writes every adapter under `adapters/METHOD-seedN` of an output folder, those of several tasks under
 * `adapters/METHOD-seedN/TASK`; returns the absolute path of `adapters`.
 */
export async function saveAdapters(output: string, adapters: readonly Adapter[]): Promise<string> {
  const folder = resolve(output, 'adapters');
  const several = new Set(adapters.map(({ task }) => task.name)).size > 1;
  for (const adapter of adapters) {
    const { method, seed, task } = adapter;
    const names = [`${method}-seed${seed}`, ...(several ? [task.name] : [])];
    await saveAdapter(join(folder, ...names.map((name) => name.replace(/[^A-Za-z0-9._-]/g, '_'))), adapter);
  }
  return folder;
}

function contextOf<Example>(
  { data, backbone, head: { kind, ...options } }: OpenTask<Example>,
  versions: Versions,
): AdapterContext {
  return {
    backbone,
    head: { kind, labels: data.labels, options },
    task: { name: data.name, metric: data.metric },
    versions,
  };
}

function isTrained({ parameters }: Adapter): boolean {
  return parameters.prompt.size + parameters.head.size > 0;
}
