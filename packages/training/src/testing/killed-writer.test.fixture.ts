/** A program that does nothing but write checkpoints, each acknowledged to its parent once it is there. */
import { CheckpointFolder } from '../checkpoint/checkpoint-folder.js';
import { contentAt } from './checkpoint-content.test.fixture.js';

const [folder = ''] = process.argv.slice(2);
const checkpoints = new CheckpointFolder(folder, 2);
await checkpoints.tidy();
const [newest = 0] = await checkpoints.steps();
for (let step = newest + 1; ; step++) {
  await checkpoints.write(contentAt(step));
  process.send?.(step);
}
