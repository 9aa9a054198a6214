import { DataError } from '@dynaprompt/core';
import type { Head, HeadKind } from '@dynaprompt/runner';
import type { Adapter } from '@dynaprompt/training';
import type { HeadOptions, Pooling } from '@dynaprompt/vision';

import { type ClipChoice, defaultChoice, presetNamed } from './clip/choice.js';
import { packageName } from './package-name.js';

/** Kinds of heads: a trainable linear layer, the model's own classifier, or the likeness of picture and class name in a dual encoder. */
export const imageHeads = ['linear', 'own', 'clip'] as const;

const poolings = ['cls', 'mean', 'pooled'] as const satisfies readonly Pooling[];

/** The head of a task with these classes. */
export function headOf(kind: HeadKind, classes: readonly string[]): HeadOptions {
  return kind === 'own' ? { kind: 'own', classes } : { kind: 'linear', classes: classes.length };
}

/** Class names in a dual encoder, as an adapter keeps it. */
export interface ClipHead extends Head, Pick<ClipChoice, 'prompts' | 'template'> {
  readonly kind: 'clip';
}

/** The head of a dual encoder. */
export function clipHead({ prompts, template }: ClipChoice): ClipHead {
  return { kind: 'clip', prompts, template };
}

/** How a dual encoder is opened again for an adapter; undefined where its head is another one. */
export function clipChoiceOf({ head }: Pick<Adapter, 'head'>): ClipChoice | undefined {
  const { kind, classes, labels, options } = head;
  const prompts = presetNamed(options.prompts);
  if (kind !== 'clip' || labels.length !== classes || prompts === undefined) return undefined;
  const { template } = options;
  return { ...defaultChoice, prompts, ...(typeof template === 'string' && { template }) };
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
