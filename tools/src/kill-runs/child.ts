/** Trains what its argument says, and tells its parent of every step and of the end. */
import { digestOf, train, type KilledTraining } from './training.js';

/** What the program tells its parent. */
export type ChildMessage =
  | { readonly type: 'step' | 'started' }
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'done'; readonly digest: string; readonly resumedFrom: number | undefined };

const tell = (message: ChildMessage): void => {
  process.send?.(message);
};
const training = JSON.parse(process.argv[2] ?? '') as KilledTraining;
const result = await train(training, {
  events: (event) => {
    if (event.type === 'notice') tell({ type: 'notice', message: event.message });
    if (event.type === 'step' || event.type === 'started') tell({ type: event.type });
  },
});
tell({ type: 'done', digest: digestOf(result), resumedFrom: result.resumedFrom });
process.disconnect();
