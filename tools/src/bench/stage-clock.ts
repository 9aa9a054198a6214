import { onStage, type Stage } from '@dynaprompt/core';

/** Milliseconds by what they went into; `rest` is what no stage accounts for. */
export type StageTimes = Readonly<Record<Stage | 'rest' | 'total', number>>;

/** Divides time among the stages of training. */
export class StageClock {
  #spent = { data: 0, networks: 0, session: 0, optimiser: 0 };
  #mark = performance.now();
  readonly #stop = onStage(({ stage, milliseconds }) => {
    this.#spent[stage] += milliseconds;
  });

  /** What went by since the clock was made, or since the last call. */
  lap(): StageTimes {
    const now = performance.now();
    const total = now - this.#mark;
    const spent = this.#spent;
    this.#spent = { data: 0, networks: 0, session: 0, optimiser: 0 };
    this.#mark = now;
    const known = Object.values(spent).reduce((sum, milliseconds) => sum + milliseconds, 0);
    return { ...spent, rest: total - known, total };
  }

  stop(): void {
    this.#stop();
  }
}
