import { DataError } from '@dynaprompt/core';
import type { HeadKind } from '@dynaprompt/runner';
import type { Adapter } from '@dynaprompt/training';
import type { HeadOptions, Pooling } from '@dynaprompt/vision';

import { packageName } from './package-name.js';

/** Kinds of heads: a trainable linear layer, or the model's own classifier. */
export const imageHeads = ['linear', 'own'] as const;

const poolings = ['cls', 'mean', 'pooled'] as const satisfies readonly Pooling[];

/** The head of a task with these classes. */
export function headOf(kind: HeadKind, classes: readonly string[]): HeadOptions {
  return kind === 'own' ? { kind: 'own', classes } : { kind: 'linear', classes: classes.length };
}

/** How the head of an adapter is opened again. @throws DataError when this application has no such head. */
export function headOfAdapter({ head }: Pick<Adapter, 'head'>, folder: string): HeadOptions {
  const { kind, classes, labels, options } = head;
  if (kind === 'own' && labels.length === classes) return { kind, classes: labels };
  if (kind === 'linear') {
    if (options.pooling === undefined) return { kind, classes };
    const pooling = poolings.find((known) => known === options.pooling);
    if (pooling !== undefined) return { kind, classes, pooling };
  }
  throw new DataError({
    packageName,
    subject: folder,
    problem: `its head, ${kind} ${JSON.stringify(options)}, is none that pictures can be classified with`,
    remedy: 'Name an adapter with a linear head or that of the model, as run saves them',
  });
}
