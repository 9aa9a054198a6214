import { DataError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** Fields of a JSON object that somebody else wrote, read with a check of their type. */
export class Fields {
  private readonly object: Readonly<Record<string, unknown>>;

  /**
   * @param file Name for messages.
   * @param path Path of the object within the file, `''` for all of it.
   * @throws DataError when the value is no object.
   */
  constructor(
    value: unknown,
    private readonly file: string,
    private readonly path = '',
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw unusableFile(file, `${path === '' ? 'it' : path} is not an object`);
    }
    this.object = value as Readonly<Record<string, unknown>>;
  }

  /** Anything; `undefined` where the field is absent or null. */
  optional(name: string): unknown {
    return Object.hasOwn(this.object, name) ? (this.object[name] ?? undefined) : undefined;
  }

  text(name: string): string {
    const value = this.optional(name);
    return typeof value === 'string' ? value : this.refuse(name, 'is not a text');
  }

  optionalText(name: string): string | undefined {
    return this.optional(name) === undefined ? undefined : this.text(name);
  }

  /** A whole number of `least` or more. */
  count(name: string, least: number): number {
    const value = this.optional(name);
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= least
      ? value
      : this.refuse(name, `is not a whole number of ${least} or more`);
  }

  optionalCount(name: string, least: number): number | undefined {
    return this.optional(name) === undefined ? undefined : this.count(name, least);
  }

  texts(name: string): readonly string[] {
    const value = this.optional(name);
    const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
    return isList ? value : this.refuse(name, 'is not a list of texts');
  }

  fields(name: string): Fields {
    return new Fields(this.optional(name), this.file, this.path === '' ? name : `${this.path}.${name}`);
  }

  /** All fields as they are. */
  all(): Readonly<Record<string, unknown>> {
    return this.object;
  }

  /** All fields, which must be texts. */
  allTexts(): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.keys(this.object).map((name) => [name, this.text(name)]));
  }

  refuse(name: string, problem: string): never {
    throw unusableFile(this.file, `${this.path === '' ? '' : `${this.path}.`}${name} ${problem}`);
  }
}

/** The error for a file whose content cannot be used. */
export function unusableFile(
  file: string,
  problem: string,
  remedy = 'Correct the file, or save the adapter again',
  cause?: unknown,
): DataError {
  return new DataError({ packageName, subject: file, problem, remedy, cause });
}
