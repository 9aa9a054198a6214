import { createHash } from 'node:crypto';

import { contentHash } from '@dynaprompt/vision';

import type { QuestionSet } from './load-data.js';

/** Hexadecimal SHA-256 of answers, questions and pictures: the same data has the same one, wherever it lies. */
export function fingerprintOf({ vocabulary, train, validation }: QuestionSet): string {
  const hash = createHash('sha256').update(JSON.stringify(vocabulary.answers));
  for (const split of [train, validation]) {
    hash.update(`${split.length}`);
    for (const example of split) {
      hash.update(JSON.stringify([example.question, example.answers, contentHash(example)]));
    }
  }
  return hash.digest('hex');
}
