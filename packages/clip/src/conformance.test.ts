import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { conformance } from '@dynaprompt/conformance';
import type { FrozenBackbone } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import * as training from '@dynaprompt/training';
import type { VisionExample } from '@dynaprompt/vision';
import { openClip, type ClipOptions } from './recognition/open-clip.js';
import { SIDE, temporaryFolder, writeFamily } from './testing/family-folders.js';
import { pictures } from './testing/pictures.js';
import { word } from './testing/small-tokenizers.js';
import { openVqa } from './vqa/open-vqa.js';
import type { VqaExample, VqaOptions } from './vqa/vqa-options.js';

const { folder, remove } = temporaryFolder();
afterAll(remove);

const runner = { describe, it, afterAll, expect };
const base = { reserve: 4, threads: 1 };
const labels = [2, 0, 1];
const small = {
  clip: writeFamily(join(folder, 'clip'), 'clip'),
  siglip: writeFamily(join(folder, 'siglip'), 'siglip'),
  chinese_clip: writeFamily(join(folder, 'chinese_clip'), 'chinese_clip'),
};
const own = { classNames: [word(7), `${word(9)} ${word(20)}`, word(33)] };

/** Recognition; rows of a plan differ between images, so that prompts of the text tower are conditioned. */
const recognition: readonly (readonly [string, string, Partial<ClipOptions>])[] = [
  ['text tower', miniClip, { prompts: 'text', conditioned: true }],
  ['image tower', miniClip, { prompts: 'vision' }],
  ['clip, coupled towers', small.clip, { ...own, prompts: 'both', conditioned: true, chunkRows: 4 }],
  [
    'siglip, coupled towers',
    small.siglip,
    { ...own, prompts: 'both', conditioned: true, trainLogitScale: true },
  ],
  ['chinese_clip, coupled towers', small.chinese_clip, { ...own, prompts: 'both', conditioned: true }],
  [
    'chinese_clip, independent towers',
    small.chinese_clip,
    { ...own, prompts: 'both', coupling: 'independent', conditioned: true },
  ],
];

for (const [name, location, options] of recognition) {
  const classNames = ['cat', 'red flag', 'tree'];
  const open = (): Promise<FrozenBackbone<VisionExample>> =>
    openClip(location, { ...base, classNames, template: '{class}', ...options });
  const examples = pictures(3, location === miniClip ? 64 : SIDE);
  conformance<VisionExample>({ name, open, examples, labels, training }, runner);
}

const questions = [word(3), `${word(4)} ${word(5)}`, `${word(6)} ${word(7)} ${word(8)}`];
const answers = [word(11), `${word(12)} ${word(13)}`, word(14)];
const vqa: readonly (readonly [string, Omit<VqaOptions, 'reserve'>])[] = [
  ['classified answers, text tower', { head: { kind: 'classification', answers } }],
  ['candidates, text tower', { head: { kind: 'candidates', answers }, chunkRows: 5 }],
];

for (const [name, options] of vqa) {
  const open = (): Promise<FrozenBackbone<VqaExample>> => openVqa(small.clip, { ...base, ...options });
  const examples = pictures(3, SIDE).map((one, index) => ({ ...one, question: questions[index] ?? '' }));
  conformance<VqaExample>({ name, open, examples, labels, training }, runner);
}
