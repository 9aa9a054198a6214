import type { FrozenBackbone } from '@dynaprompt/core';
import { baselineNames, FeatureCache, type TaskData, type TrainingMethod } from '@dynaprompt/training';

import type { OpenBackbone } from '../domain.js';

/** What tells which backbone a method is trained on. */
export type Backbones<Example> = Pick<OpenBackbone<Example>, 'backbone' | 'probe' | 'forMethod'>;

/** The backbone that a method is trained on. */
export async function backboneFor<Example>(
  { backbone, probe = backbone, forMethod }: Backbones<Example>,
  method: TrainingMethod,
): Promise<FrozenBackbone<Example>> {
  if (forMethod !== undefined) return forMethod(method);
  return baselineNames.some((name) => name === method) ? probe : backbone;
}

/** A backbone with the features that were computed on it. */
export type FeatureHost<Example> = Required<Pick<TaskData<Example>, 'backbone' | 'features'>>;

/** What methods are trained on: each backbone of a task has one feature cache for all runs. */
export function featureHosts<Example>(
  opened: Backbones<Example>,
  warn?: (message: string) => void,
): (method: TrainingMethod) => Promise<FeatureHost<Example>> {
  const known = new Map<FrozenBackbone<Example>, FeatureHost<Example>>();
  return async (method) => {
    const backbone = await backboneFor(opened, method);
    const host = known.get(backbone) ?? {
      backbone,
      features: new FeatureCache(backbone, { ...(warn && { warn }) }),
    };
    known.set(backbone, host);
    return host;
  };
}

/** Frees the memory of a task's backbones. */
export async function releaseBackbones<Example>({
  backbone,
  probe,
}: Pick<OpenBackbone<Example>, 'backbone' | 'probe'>): Promise<void> {
  await backbone.release();
  await probe?.release();
}
