import type { GradientSet } from '@dynaprompt/core';

/** Gradients by name, summed over the micro-batches of a step. */
export class GradientSum {
  private readonly sums = new Map<string, Float32Array>();

  get gradients(): GradientSet {
    return this.sums;
  }

  /** Adds `share` × gradients; a whole batch is one share of 1 and is taken as it is. */
  add(share: number, gradients: GradientSet): void {
    for (const [name, gradient] of gradients) {
      const sum = this.sums.get(name);
      if (sum === undefined) {
        this.sums.set(name, share === 1 ? gradient : gradient.map((value) => share * value));
        continue;
      }
      for (let index = 0; index < sum.length; index++) {
        sum[index] = (sum[index] ?? 0) + share * (gradient[index] ?? 0);
      }
    }
  }
}
