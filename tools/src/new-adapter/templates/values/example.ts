import { DataError, type ExampleLayout } from '@dynaprompt/core';
import type { AdapterNameModel } from '../sequence/model.js';
import { PACKAGE_NAME } from '../common/package-name.js';

/** What the model reads. */
export interface AdapterNameExample {
  /** Names it in errors. */
  readonly id?: string;
  /** [T, channels] values of T steps, row-major. */
  readonly values: Float32Array;
}

/** An example and the model that reads it. */
export interface Reading {
  readonly model: AdapterNameModel;
  readonly example: AdapterNameExample;
}

/** Steps that prompts stand behind, between and in front of: all may stand between prompts. */
export function layoutOf({ model, example }: Reading): Omit<ExampleLayout, 'active'> {
  return { before: 0, content: Math.ceil(example.values.length / channelsOf(model)), after: 0 };
}

/** @throws DataError if there are no values, part of a step, or something that is no number. */
export function checkExample({ model, example, name }: Reading & { readonly name: string }): void {
  const { values } = example;
  const channels = channelsOf(model);
  const isWhole = values.length > 0 && values.length % channels === 0;
  if (isWhole && values.every(Number.isFinite)) return;
  throw new DataError({
    packageName: PACKAGE_NAME,
    subject: `example ${name}`,
    problem: isWhole ? 'one of its values is no number' : `it has ${values.length} values`,
    remedy: `Give ${channels} finite numbers for each of one or more steps`,
  });
}

/** What tells its content from that of others. */
export function identityOf({ values }: AdapterNameExample): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Numbers of a step. */
export function channelsOf({ entry: { channels = 1 } }: AdapterNameModel): number {
  return channels;
}
