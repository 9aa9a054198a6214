import { DataError } from '@dynaprompt/core';
import type { HeadOptions, LinearHeadOptions } from '@dynaprompt/text';
import type { Adapter } from '@dynaprompt/training';

import { packageName } from '../package-name.js';

const poolings = ['mean', 'cls', 'last'] as const satisfies readonly LinearHeadOptions['pooling'][];

/** How the head of an adapter is opened again. @throws DataError when this application has no such head. */
export function headOptionsOf({ head }: Pick<Adapter, 'head'>, folder: string): HeadOptions {
  const { kind, classes, options } = head;
  if (kind === 'linear') {
    if (options.pooling === undefined) return { kind, classes };
    const pooling = poolings.find((known) => known === options.pooling);
    if (pooling !== undefined) return { kind, classes, pooling };
  }
  if (kind === 'verbalizer') {
    const { template, words } = options;
    if (typeof template === 'string' && isTexts(words)) return { kind, template, words };
  }
  throw new DataError({
    packageName,
    subject: folder,
    problem: `its head, ${kind} ${JSON.stringify(options)}, is none that texts of a line each can be classified with`,
    remedy: 'Name an adapter with a linear or verbalizer head, as run saves them',
  });
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
