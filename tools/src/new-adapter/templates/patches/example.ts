import { DataError, type ExampleLayout } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../common/package-name.js';
import type { AdapterNameModel } from './model.js';

/** What the model reads. */
export interface AdapterNameExample {
  /** Names it in errors. */
  readonly id?: string;
  /** Values as the model takes them, such as normalised pixels [3, height, width]. */
  readonly values: Float32Array;
}

/** An example and the model that reads it. */
export interface Reading {
  readonly model: AdapterNameModel;
  readonly example: AdapterNameExample;
}

/** Prompts stand behind class token and registers, among the patches. */
export function layoutOf({ model: { patches, rows } }: Reading): Omit<ExampleLayout, 'active'> {
  return { before: patches.special, content: rows - patches.special, after: 0 };
}

/** @throws DataError if there are more or fewer values than the model takes, or something that is no number. */
export function checkExample({ model, example, name }: Reading & { readonly name: string }): void {
  const { values } = example;
  const size = model.extents.reduce((product, extent) => product * extent, 1);
  if (values.length === size && values.every(Number.isFinite)) return;
  throw new DataError({
    packageName: PACKAGE_NAME,
    subject: `example ${name}`,
    problem: values.length === size ? 'one of its values is no number' : `it has ${values.length} values`,
    remedy: `Give ${size} finite numbers, [${model.extents.join(', ')}]`,
  });
}

/** What tells its content from that of others. */
export function identityOf({ values }: AdapterNameExample): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
