import { endWithParent } from './end-with-parent.js';
import { sentError, type TaskReport, type TaskRequest } from './task-messages.js';

/** What a task is given in its own process. */
export interface TaskTools<Message> {
  /** Raised when the parent wants it to stop. */
  readonly signal: AbortSignal;
  /** Sends the parent something while it works. */
  readonly tell: (message: Message) => void;
}

/** Does the one task that the parent process sends, see `superviseTask`, and ends. What it is given is what that one was. */
export function serveTask<Message, Result>(
  perform: (opening: unknown, tools: TaskTools<Message>) => Promise<Result>,
): void {
  const stopping = new AbortController();
  const send = (report: TaskReport<Message, Result>, sent?: () => void): void => {
    process.send?.(report, undefined, undefined, sent);
  };
  const end = (report: TaskReport<Message, Result>): void => {
    send(report, () => process.exit());
  };
  const tools: TaskTools<Message> = {
    signal: stopping.signal,
    tell: (message) => {
      send({ type: 'told', message });
    },
  };
  process.on('message', (request: TaskRequest) => {
    if (request.type === 'stop') {
      stopping.abort(new Error('stopped by the parent process'));
      return;
    }
    perform(request.opening, tools).then(
      (result) => {
        end({ type: 'done', result });
      },
      (error: unknown) => {
        end({ type: 'failed', error: sentError(error) });
      },
    );
  });
  endWithParent();
  // The parent decides what Ctrl-C means.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
}
