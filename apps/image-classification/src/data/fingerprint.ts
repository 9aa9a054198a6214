import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import type { LabelledImage } from '@dynaprompt/benchmarks';

import type { ScoredDataset } from './load-data.js';

/** Hexadecimal SHA-256 of classes, labels and pictures: the same data has the same one, wherever it lies. */
export async function fingerprintOf({ classes, train, validation, novel }: ScoredDataset): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(classes));
  for (const split of [train, validation, ...(novel ? [novel.examples] : [])]) {
    hash.update(`${split.length}`);
    for (const picture of split) hash.update(await hashOf(picture));
  }
  if (novel) hash.update(JSON.stringify(novel.classes));
  return hash.digest('hex');
}

/** Of label and content. */
async function hashOf({ label, image }: LabelledImage): Promise<Buffer> {
  const hash = createHash('sha256').update(`${label} ${image.kind === 'pixels' ? 'pixels' : 'encoded'} `);
  if (image.kind === 'file') hash.update(await readFile(image.path));
  else if (image.kind === 'bytes') hash.update(image.bytes);
  else hash.update([image.width, image.height, image.channels].join()).update(image.data);
  return hash.digest();
}
