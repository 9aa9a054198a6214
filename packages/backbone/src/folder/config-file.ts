import { readFileSync } from 'node:fs';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';

/** What reads a value out of JSON; a zod schema is one. */
export interface JsonSchema<T> {
  /** The value, or what is wrong with it; does not throw. */
  safeParse(json: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false;
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
        };
      };
}

/**
 * Reads a JSON file of a backbone folder, such as config.json.
 * @throws ModelError naming the file, and the field that is not as the schema says.
 */
export function readConfigFile<T>(file: string, schema: JsonSchema<T>): T {
  const fail = (problem: string, remedy: string, cause?: unknown): never => {
    throw new ModelError({ packageName: PACKAGE_NAME, subject: file, problem, remedy, cause });
  };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    return fail('it cannot be read as JSON', 'Download the file again', cause);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.path.map(String) ?? [];
  return fail(
    [...name, issue?.message ?? 'unexpected content'].join(': '),
    'Use the file of the published model',
  );
}
