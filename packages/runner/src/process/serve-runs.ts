import type { Keyed, RunAnswer, RunRequest } from './run-process.js';

/**
 * Does what the parent process asks for, see `RunProcess`.
 *
 * @param open makes of the first message what does a run.
 */
export function serveRuns<Opening extends { readonly type: 'open' }, Run extends Keyed, Outcome>(
  open: (opening: Opening) => (run: Run) => Promise<Outcome>,
): void {
  let perform: ((run: Run) => Promise<Outcome>) | undefined;

  process.on('message', (request: Opening | RunRequest<Run>) => {
    if (request.type === 'open') {
      perform = open(request);
      return;
    }
    const { run } = request;
    void perform?.(run).then((outcome) => {
      process.send?.({ key: run.key, outcome } satisfies RunAnswer<Outcome>);
    });
  });

  // The parent decides what Ctrl-C means; without a parent there is nobody to work for.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('disconnect', () => process.exit());
}
