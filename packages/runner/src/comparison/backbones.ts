import type { FrozenBackbone } from '@dynaprompt/core';
import { baselineNames, type TrainingMethod } from '@dynaprompt/training';

import type { OpenBackbone } from '../domain.js';

/** The backbone that a method is trained on. */
export function backboneFor<Example>(
  { backbone, probe = backbone }: Pick<OpenBackbone<Example>, 'backbone' | 'probe'>,
  method: TrainingMethod,
): FrozenBackbone<Example> {
  return baselineNames.some((name) => name === method) ? probe : backbone;
}

/** Frees the memory of a task's backbones. */
export async function releaseBackbones<Example>({
  backbone,
  probe,
}: Pick<OpenBackbone<Example>, 'backbone' | 'probe'>): Promise<void> {
  await backbone.release();
  await probe?.release();
}
