import { DataError, type ExampleLayout } from '@dynaprompt/core';
import type { AdapterNameModel } from '../sequence/model.js';
import { PACKAGE_NAME } from '../common/package-name.js';

/** What the model reads. */
export interface AdapterNameExample {
  /** Names it in errors. */
  readonly id?: string;
  /** Token ids, as the model's tokeniser makes them. */
  readonly ids: readonly number[];
}

/** An example and the model that reads it. */
export interface Reading {
  readonly model: AdapterNameModel;
  readonly example: AdapterNameExample;
}

/**
 * Tokens that prompts stand behind, between and in front of. All may stand between prompts: where ids begin and end with framing
 * tokens that prompts have to keep to, such as [CLS] and [SEP], take them out of `content`.
 */
export function layoutOf({ example: { ids } }: Reading): Omit<ExampleLayout, 'active'> {
  return { before: 0, content: ids.length, after: 0 };
}

/** @throws DataError if there are no ids, or some that the model does not know. */
export function checkExample({ model, example, name }: Reading & { readonly name: string }): void {
  const { vocabulary = 0 } = model.entry;
  const { ids } = example;
  const odd = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
  if (ids.length > 0 && odd === undefined) return;
  throw new DataError({
    packageName: PACKAGE_NAME,
    subject: `example ${name}`,
    problem: odd === undefined ? 'it has no tokens' : `${odd} is no token id`,
    remedy: `Give one or more whole numbers in 0..${vocabulary - 1}`,
  });
}

/** What tells its content from that of others. */
export function identityOf({ ids }: AdapterNameExample): string {
  return ids.join();
}
