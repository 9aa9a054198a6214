import type { Keyed, RunAnswer, RunRequest } from './run-process.js';

/** What travels between a process and its parent. */
export interface ServedRuns {
  readonly opening: { readonly type: 'open' };
  readonly run: Keyed;
  readonly outcome: unknown;
}

/**
 * Does what the parent process asks for, see `RunProcess`.
 *
 * @param open makes of the first message what does a run.
 */
export function serveRuns<Served extends ServedRuns>(
  open: (opening: Served['opening']) => (run: Served['run']) => Promise<Served['outcome']>,
): void {
  let perform: ReturnType<typeof open> | undefined;

  process.on('message', (request: Served['opening'] | RunRequest<Served['run']>) => {
    if (request.type === 'open') {
      perform = open(request);
      return;
    }
    const { run } = request;
    void perform?.(run).then((outcome) => {
      process.send?.({ key: run.key, outcome } satisfies RunAnswer<Served['outcome']>);
    });
  });

  // The parent decides what Ctrl-C means; without a parent there is nobody to work for.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('disconnect', () => process.exit());
}
