import { readCaseFile } from '../gradcheck/case-file.js';
import { tryModel, type Answer, type Phase } from './pipeline.js';

/** A mutated model to try. */
export interface Task {
  readonly bytes: Uint8Array;
  /** Case folder that it was made from. */
  readonly folder: string;
  /** Where the worker may write. */
  readonly scratch: string;
}

/** What the worker tells: that it has started, the phase it enters, or that it is done. */
export type Report =
  | { readonly phase: Phase | 'start' }
  | { readonly answer: Answer; readonly milliseconds: number; readonly peakMegabytes: number };

const send = (report: Report): void => {
  process.send?.(report);
};

process.on('message', (task) => {
  const { bytes, folder, scratch } = task as Task;
  const started = process.cpuUsage();
  void tryModel(bytes, readCaseFile(folder), scratch, (phase) => {
    send({ phase });
  }).then((answer) => {
    const { user, system } = process.cpuUsage(started);
    const peakMegabytes = process.resourceUsage().maxRSS / 1024;
    send({ answer, milliseconds: (user + system) / 1000, peakMegabytes });
  });
});
process.once('disconnect', () => process.exit());
send({ phase: 'start' });
