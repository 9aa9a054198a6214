import type { Screen } from '../display/screen.js';
import type { ComparisonOptions, OutputOptions } from '../options/comparison.js';
import type { OutputClaim } from '../output/claim-output.js';
import { TaskCrashedError } from '../process/crash.js';
import { superviseTask } from '../process/supervise-task.js';
import type { ComparisonMessage, ComparisonOutcome, ComparisonRequest } from './perform.js';

/** Makes a comparison in a child process; `claim` is that of its output folder. */
export async function superviseComparison<Options extends ComparisonOptions>(
  module: URL,
  request: ComparisonRequest<Options>,
  claim: Pick<OutputClaim, 'hasCheckpoints'>,
  listener: Pick<Screen, 'started' | 'told' | 'wrote'>,
  signal: AbortSignal,
): Promise<ComparisonOutcome> {
  let place = 'opening data and backbone';
  let isTraining = false;
  return superviseTask<ComparisonMessage, ComparisonOutcome>({
    module,
    opening: request,
    signal,
    started: listener.started,
    wrote: listener.wrote,
    told(message) {
      place = placeOf(message) ?? place;
      isTraining = true;
      listener.told(message);
    },
    mayFinish: () => isTraining,
    async crashed(ending) {
      const remedy = (await claim.hasCheckpoints())
        ? 'Give the same command with --resume to go on from the last checkpoint'
        : 'Nothing was saved yet; start again';
      return new TaskCrashedError(ending, place, remedy);
    },
  });
}

/** Where in the comparison a message comes from. */
function placeOf(message: ComparisonMessage): string | undefined {
  if (message.type === 'opened') return 'before the first step';
  const { event } = message;
  const run = `${event.method}, seed ${event.seed}`;
  switch (event.type) {
    case 'step':
      return `${run}, after step ${event.step} of ${event.steps}`;
    case 'features':
      return `${run}, features of ${event.done} of ${event.total} examples`;
    case 'started':
      return `${run}, step ${event.resumedFrom ?? 0} of ${event.steps}`;
    case 'finished':
      return `${run}, after its end`;
    case 'evaluated':
    case 'notice':
      return undefined;
  }
}

/** The plan of checkpoints of a comparison. */
export function checkpointsOf(
  folder: string,
  { checkpointEvery, resume = false }: Pick<OutputOptions, 'checkpointEvery' | 'resume'>,
): NonNullable<ComparisonRequest<ComparisonOptions>['checkpoints']> {
  return { folder, everySteps: checkpointEvery, resume };
}
