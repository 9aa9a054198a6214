/** Runs a task for the newest value only: while one runs, of those that come in the last one waits and the others are dropped. */
export function latest<Value>(run: (value: Value) => Promise<void>): (value: Value) => Promise<void> {
  let waiting: { readonly value: Value } | undefined;
  let running: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    try {
      while (waiting !== undefined) {
        const { value } = waiting;
        waiting = undefined;
        await run(value);
      }
    } finally {
      running = undefined;
    }
  };
  return (value) => {
    waiting = { value };
    running ??= work();
    return running;
  };
}
