/** What a parent process sends the child that does a task. */
export type TaskRequest = { readonly type: 'begin'; readonly opening: unknown } | { readonly type: 'stop' };

/** What the child sends back. */
export type TaskReport<Message, Result> =
  | { readonly type: 'told'; readonly message: Message }
  | { readonly type: 'done'; readonly result: Result }
  | { readonly type: 'failed'; readonly error: SentError };

/** An error as it travels between processes. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Fields of an error of this product; absent for others. */
  readonly problem: string | undefined;
  readonly remedy: string | undefined;
}

/** Makes an error ready to be sent. */
export function sentError(error: unknown): SentError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const { problem, remedy } = Object(error) as Partial<Record<'problem' | 'remedy', unknown>>;
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return { name, message, stack, problem: text(problem), remedy: text(remedy) };
}

/** An error that another process sent; it says what that one said. */
export function receivedError({ name, message, stack, problem, remedy }: SentError): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return problem === undefined ? error : Object.assign(error, { problem, remedy: remedy ?? '' });
}
