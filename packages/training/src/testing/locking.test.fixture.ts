/** A program that takes a folder, says so, and then waits, exits, or fails. */
import { lockFolder } from '../files/folder-lock.js';

const [folder = '', end] = process.argv.slice(2);
await lockFolder(folder);
await new Promise<void>((resolve) => {
  process.send?.('locked', () => {
    resolve();
  });
});
if (end === 'wait') process.on('message', () => undefined);
if (end === 'exit') process.exit(3);
if (end === 'throw') throw new Error('the run fails');
