import { DataError } from '@dynaprompt/core';
import type { HeadOptions, LinearHeadOptions } from '@dynaprompt/text';
import type { Adapter } from '@dynaprompt/training';

import { packageName } from '../package-name.js';

const poolings = ['mean', 'cls', 'last'] as const satisfies readonly LinearHeadOptions['pooling'][];

/** How the head of an adapter is opened again. @throws DataError when this application has no such head. */
export function headOptionsOf({ head }: Pick<Adapter, 'head'>, folder: string): HeadOptions {
  const { kind, classes, options } = head;
  const pooling = poolings.find((known) => known === options.pooling);
  const pooled = pooling === undefined ? {} : { pooling };
  if (options.pooling === undefined || pooling !== undefined) {
    if (kind === 'linear' || kind === 'candidates') return { kind, classes, ...pooled };
    if (kind === 'regression' && isRange(options.range)) return { kind, range: options.range, ...pooled };
  }
  if (kind === 'choices' && typeof options.template === 'string')
    return { kind, template: options.template, classes };
  if (kind === 'verbalizer') {
    const { template, words } = options;
    if (typeof template === 'string' && isTexts(words)) return { kind, template, words };
  }
  throw new DataError({
    packageName,
    subject: folder,
    problem: `its head, ${kind} ${JSON.stringify(options)}, is none that texts of a line each can be answered with`,
    remedy: 'Name an adapter with a head of the kinds that run saves',
  });
}

/** Most tokens of a text: what is asked for, or what the adapter was trained with; undefined: what the model has room for. */
export function maxLengthOf(
  { head }: Pick<Adapter, 'head'>,
  asked: number | undefined,
): { readonly maximumTokens?: number } {
  const { maximumTokens } = head.options;
  if (asked !== undefined) return { maximumTokens: asked };
  return typeof maximumTokens === 'number' ? { maximumTokens } : {};
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isRange(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((item) => typeof item === 'number');
}
