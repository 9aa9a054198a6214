/** A program that trains the toy and tells its parent of every step; it may be killed and started again. */
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

import { selectBackend } from '@dynaprompt/core';

import { methodNamed } from '../training/method.js';
import { trainPrompt } from '../training/train-prompt.js';
import { bitsOf } from './bits.test.fixture.js';
import { ToyBackbone } from './toy-backbone.test.fixture.js';
import { options, small } from './toy-run.test.fixture.js';

/** What the program tells its parent. */
export type KilledRunMessage =
  | { readonly type: 'started' }
  | { readonly type: 'step'; readonly step: number }
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'done'; readonly digest: string; readonly resumedFrom: number | undefined };

/** So slow that a kill finds it in the middle, on a fast machine too. */
class SlowBackbone extends ToyBackbone {
  override async differentiate(
    ...call: Parameters<ToyBackbone['differentiate']>
  ): ReturnType<ToyBackbone['differentiate']> {
    await setTimeout(1);
    return super.differentiate(...call);
  }
}

const [folder = ''] = process.argv.slice(2);

function tell(message: KilledRunMessage): void {
  process.send?.(message);
}

await selectBackend();
const result = await trainPrompt(
  options(new SlowBackbone(), methodNamed('dynamic', small), {
    steps: 600,
    evaluateEvery: 40,
    batch: 4,
    accumulation: 2,
    ...(folder === '' ? {} : { checkpoint: { folder, everySteps: 2 }, resume: 'auto' }),
    events: (event) => {
      if (event.type === 'step' || event.type === 'notice' || event.type === 'started') tell(event);
    },
  }),
);
const digest = createHash('sha256')
  .update(JSON.stringify(bitsOf(result)))
  .digest('hex');
tell({ type: 'done', digest, resumedFrom: result.resumedFrom });
process.disconnect();
