import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';

/**
 * What time goes into: `data` orders, tokenises or decodes examples and arranges them as inputs of the model, `networks` plans
 * prompts and goes back through the plan, `session` computes the frozen model, `optimiser` updates parameters.
 */
export type Stage = 'data' | 'networks' | 'session' | 'optimiser';

/** A stage that ended. */
export interface StageTime {
  readonly stage: Stage;
  readonly milliseconds: number;
}

const CHANNEL = 'dynaprompt:stage';
const stages = channel(CHANNEL);

/** Does work of a stage, until its promise is settled where it returns one. Costs nothing while no one listens. */
export function timed<Result>(stage: Stage, work: () => Result): Result {
  if (!stages.hasSubscribers) return work();
  const began = performance.now();
  const tell = (): void => {
    stages.publish({ stage, milliseconds: performance.now() - began } satisfies StageTime);
  };
  let isPending = false;
  try {
    const result = work();
    if (!isPromise(result)) return result;
    isPending = true;
    return result.finally(tell) as Result;
  } finally {
    if (!isPending) tell();
  }
}

/** Those of other realms too, such as a test's. */
function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { readonly finally?: unknown } | null | undefined)?.finally === 'function';
}

/** Hears of every stage that ends in this process; returns what ends that. For measurements. */
export function onStage(listener: (time: StageTime) => void): () => void {
  const hear = (message: unknown): void => {
    listener(message as StageTime);
  };
  subscribe(CHANNEL, hear);
  return () => {
    unsubscribe(CHANNEL, hear);
  };
}
