import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ConfigurationError } from '@dynaprompt/core';
import { placeOf } from '@dynaprompt/runner';
import { DTYPES, type ExportedEncoder, type ExportOptions, exportTunedEncoder } from '@dynaprompt/text';

import { application } from '../application.js';
import { bundled } from '../bundled.js';
import { packageName } from '../package-name.js';
import { headOptionsOf, maxLengthOf } from '../predict/head-options.js';
import {
  openTextAdapter,
  type OpenTextAdapter,
  type TextAdapterOptions,
} from '../predict/open-text-adapter.js';

/** Where the weights of the frozen model go. */
export const weightPlacements = [
  'copy',
  'link',
  'embed',
] as const satisfies readonly ExportOptions['weights'][];

/** What `export` was asked for. */
export interface ExportTunedOptions extends TextAdapterOptions {
  /** New or empty. */
  readonly target: string;
  readonly weights: (typeof weightPlacements)[number];
  /** Give out positions and lengths too. */
  readonly reportChoices: boolean;
  /** Name of one of the tasks that were trained together; the adapter's own where there is but one. */
  readonly task: string | undefined;
}

/** Writes a saved adapter and its encoder as one ordinary ONNX folder, and says on stdout where it is. */
export async function runExport(options: ExportTunedOptions): Promise<void> {
  const source = { ...options, folder: folderOfTask(options) };
  const opened = await openTextAdapter(source);
  // The export reads the files again; that the adapter belongs to them is known now.
  await opened.backbone.release();
  const { folder, maximumTokens } = await exportOpened(opened, source);
  process.stdout.write(`Tuned model  ${folder} (texts of up to ${maximumTokens} tokens)\n`);
  if (opened.place.compute === 'int8') {
    process.stderr.write(
      `${application.program}: the adapter was trained with --compute int8; the exported model computes in float32, probabilities differ a little\n`,
    );
  }
}

function exportOpened(
  { adapter, prompt, place }: OpenTextAdapter,
  { folder, target, task, maxLength, weights, reportChoices }: ExportTunedOptions,
): Promise<ExportedEncoder> {
  const refuse = (problem: string, remedy: string): ConfigurationError =>
    new ConfigurationError({ packageName, subject: folder, problem, remedy });
  if (task !== undefined && task !== adapter.task.name)
    throw refuse(`it was trained for ${adapter.task.name}, not for ${task}`, 'Leave out --task');
  if (prompt === undefined)
    throw refuse('it is a head alone, without a prompt', 'Name an adapter of a method with a prompt');
  const { head, parameters } = adapter;
  const dtype = DTYPES.find((known) => known === place.dtype);
  return exportTunedEncoder(
    placeOf(place.location, bundled),
    {
      head: headOptionsOf(adapter, folder),
      reserve: place.slots,
      ...maxLengthOf(adapter, maxLength),
      ...(dtype === undefined ? {} : { dtype }),
    },
    { prompt, head: parameters.head },
    target,
    {
      weights,
      reportChoices,
      // The one output of a regression has no class name.
      ...(head.kind === 'regression' || head.labels.length === 0 ? {} : { labels: head.labels }),
      ...(adapter.task.index === undefined ? {} : { task: adapter.task.index }),
    },
  );
}

/** Adapters of tasks that were trained together lie in folders by the names of the tasks. */
function folderOfTask({ folder, task }: ExportTunedOptions): string {
  if (task === undefined) return folder;
  const below = join(folder, task);
  return existsSync(below) ? below : folder;
}
