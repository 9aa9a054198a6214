/** A program that writes two checkpoints, the second one larger, and says what became of each. */
import { CheckpointFolder } from '../checkpoint/checkpoint-folder.js';
import { CheckpointWriteError } from '../checkpoint/errors.js';
import { contentAt } from './checkpoint-content.test.fixture.js';

const [folder = '', repeats = '1'] = process.argv.slice(2);
const checkpoints = new CheckpointFolder(folder, 2);

/** The content of a step with `times` as many optimiser tensors. */
function grown(step: number, times: number): ReturnType<typeof contentAt> {
  const content = contentAt(step);
  if (times === 1) return content;
  const { optimiser } = content.state;
  const tensors = new Map(
    Array.from({ length: times }, (_, time) =>
      [...optimiser.tensors].map(([name, tensor]) => [`${time}/${name}`, tensor] as const),
    ).flat(),
  );
  return { ...content, state: { ...content.state, optimiser: { step, tensors } } };
}

for (const [step, times] of [
  [3, 1],
  [6, Number(repeats)],
] as const) {
  try {
    await checkpoints.write(grown(step, times));
    console.log(`${step}: written`);
  } catch (error) {
    if (!(error instanceof CheckpointWriteError)) throw error;
    const { code } = error.cause as NodeJS.ErrnoException;
    console.log(`${step}: ${error.name} ${String(code)} ${error.message}`);
  }
}
