import { cpus } from 'node:os';

import type { Application } from '../application.js';

/** Node, processor and system of this machine, in words. */
export function machineOf({ versions: { node = '' } }: Pick<Application, 'versions'>): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  return `node ${node}, ${model}, ${cpus().length} cores, ${process.platform} ${process.arch}`;
}

/** Versions that decide what a run gives: all but that of Node. */
export function packagesOf({ versions }: Pick<Application, 'versions'>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(versions).filter(([name]) => name !== 'node'));
}
