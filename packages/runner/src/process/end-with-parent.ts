import { Worker } from 'node:worker_threads';

/** Milliseconds between two looks at the parent. */
const interval = 250;

/**
 * Ends this process soon after its parent has ended, in the middle of whatever it does: a thread looks, for native code keeps the
 * JavaScript thread from hearing of it.
 */
export function endWithParent(parent: number = process.ppid): void {
  const watch = `
    setInterval(() => {
      if (process.ppid !== ${parent}) process.kill(process.pid, 'SIGKILL');
    }, ${interval});`;
  new Worker(watch, { eval: true }).unref();
  // Where processes keep the number of a parent that is gone.
  process.on('disconnect', () => process.exit(1));
}
