import type { Command } from 'commander';

import type { AdapterOptions } from './open-adapter.js';

/** Values of the options of an adapter, as commander hands them over. */
export interface AdapterFlags {
  readonly backbone?: string;
  readonly anyRevision?: boolean;
}

/** Adds which backbone an adapter is used on. */
export function addAdapterFlags(command: Command): Command {
  return command
    .option('--backbone <folder-or-id>', 'frozen model (default: the one that the adapter names)')
    .option('--any-revision', 'take another export of the same model; probabilities differ then');
}

/** Which adapter the flags ask for. */
export function adapterOptionsOf(
  folder: string,
  { backbone, anyRevision = false }: AdapterFlags,
): AdapterOptions {
  return { folder, backbone, anyRevision };
}
