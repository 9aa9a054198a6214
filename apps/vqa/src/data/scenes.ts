import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { writeScenes } from '@dynaprompt/benchmarks';
import { bundledModels } from '@dynaprompt/mini-models';
import { defaultCacheFolder } from '@dynaprompt/training';

import { application } from '../application.js';

/** The folder with so many scenes to train on, a quarter as many to validate, and as many to test; drawn where they are not there. */
export async function scenesFolder(train: number, seed: number): Promise<string> {
  const { heldOut, imageSize } = bundledModels['mini-clip'];
  const others = Math.max(1, Math.ceil(train / 4));
  const { openmoji = '', sharp = '', dynaprompt = '' } = application.versions;
  // Equal names, equal bytes.
  const made = createHash('sha256')
    .update(JSON.stringify([openmoji, sharp, dynaprompt]))
    .update(await readFile(heldOut))
    .digest('hex');
  const name = [`seed${seed}`, train, others, others, `${imageSize}px`, made.slice(0, 12)].join('-');
  const folder = join(defaultCacheFolder(), 'scenes', name);
  if (existsSync(folder)) return folder;
  const counts = { train, validation: others, test: others };
  try {
    await writeScenes(folder, { seed, ...counts, heldOut, size: imageSize, from: import.meta.url });
  } catch (error) {
    // Another process was faster: what it has written is complete, and the same.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
