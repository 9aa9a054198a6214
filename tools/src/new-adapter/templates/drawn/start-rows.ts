import type { SessionCache } from '@dynaprompt/backbone';
import { stream } from '@dynaprompt/core';
import type { AdapterNameModel } from '../sequence/model.js';

/** A wish for rows to start prompts from. */
export interface StartRows {
  readonly model: AdapterNameModel;
  /** For adapters whose model makes the rows. */
  readonly sessions: SessionCache;
  readonly count: number;
  readonly offset: number;
}

/** Rows [count, d], uniform in ±√(3 / d), whose norm is about 1. A row depends on its number alone. */
export function startRows({ model: { width }, count, offset }: StartRows): Promise<Float32Array> {
  const radius = Math.sqrt(3 / width);
  const rows = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const random = stream(0, `prompt row ${offset + row}`);
    for (let column = 0; column < width; column++)
      rows[row * width + column] = radius * (2 * random.uniform() - 1);
  }
  return Promise.resolve(rows);
}
