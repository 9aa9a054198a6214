import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { baseFolders } from './base-models.js';
import { mutant } from './mutate.js';
import { count, emptySummary, type Summary } from './summary.js';
import { Supervisor, type Limits } from './supervisor.js';

export interface MutationOptions extends Limits {
  readonly count: number;
  readonly first: number;
  readonly seed: number;
  /** Folder for the models of what was found. */
  readonly keep?: string;
}

/** Tries `count` mutations of the committed cases and of their forms of reduced precision, in turn. */
export async function runMutations(options: MutationOptions): Promise<Summary> {
  const scratch = mkdtempSync(join(tmpdir(), 'mutations-'));
  const folders = await baseFolders(scratch);
  const models = folders.map((folder) => new Uint8Array(readFileSync(join(folder, 'model.onnx'))));
  const summary = emptySummary(options.seed, options.count);
  const supervisor = new Supervisor(options);
  if (options.keep !== undefined) mkdirSync(options.keep, { recursive: true });
  const started = performance.now();
  try {
    for (let index = options.first; index < options.first + options.count; index++) {
      const turn = index % folders.length;
      const [folder = '', model = new Uint8Array()] = [folders[turn], models[turn]];
      const { bytes, edits } = mutant(model, options.seed, index);
      const verdict = await supervisor.try({ bytes, folder, scratch });
      const name = basename(folder);
      const isFound = count(summary, verdict, { index, case: name, edits });
      if (isFound && options.keep !== undefined)
        writeFileSync(join(options.keep, `${name}-${index}.onnx`), bytes);
    }
  } finally {
    supervisor.close();
    rmSync(scratch, { recursive: true, force: true });
  }
  summary.peakMegabytes = supervisor.peakMegabytes;
  summary.seconds = (performance.now() - started) / 1000;
  return summary;
}
