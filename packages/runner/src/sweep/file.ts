import { readFile } from 'node:fs/promises';

import { parseDocument } from 'yaml';
import { z } from 'zod';

import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { OptionTree } from './axes.js';
import { nearestName } from './suggestion.js';

/** A value or a list of values, at least one. */
const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const tree: z.ZodType<OptionTree> = z.lazy(() =>
  z.record(z.string(), z.union([value, z.array(value).min(1), tree])),
);
const names = z.array(z.string().min(1)).min(1);

const fileSchema = z.strictObject({
  tasks: names,
  backbones: names.optional(),
  methods: names,
  seeds: z.array(z.int().nonnegative()).min(1),
  options: tree.default({}),
  cases: z.array(tree).min(1).optional(),
  folders: z.record(z.string(), z.string()).default({}),
  reference: z.string().optional(),
});

/** What a sweep crosses. */
export interface SweepFile {
  readonly tasks: readonly string[];
  /** Absent: the backbone that the application has by default. */
  readonly backbones?: readonly string[] | undefined;
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  /** Options of the runs; lists are crossed too. */
  readonly options: OptionTree;
  /** Options that go together, in place of a crossing; each case is crossed with everything else. */
  readonly cases?: readonly OptionTree[] | undefined;
  /** Folder of each task below the root of the data, where it is not called like the task. */
  readonly folders: Readonly<Record<string, string>>;
  /** Method that others are compared with; default: `fixed`, or else the first. */
  readonly reference?: string | undefined;
}

/** @throws ConfigurationError naming the file and what of it cannot be used. */
export async function readSweepFile(path: string): Promise<SweepFile> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw unusable(path, `it cannot be read (${(cause as Error).message})`, 'Name a YAML file', cause);
  });
  return parseSweepFile(text, path);
}

/** The same of a text. */
export function parseSweepFile(text: string, path: string): SweepFile {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault !== undefined) {
    const [line = ''] = fault.message.split('\n');
    throw unusable(path, `it is no YAML (${line.replace(/:$/, '')})`, 'Correct that line', fault);
  }
  const result = fileSchema.safeParse(document.toJS());
  if (result.success) {
    for (const list of ['tasks', 'backbones', 'methods', 'seeds'] as const)
      requireOnce(path, list, result.data[list]);
    return result.data;
  }
  const issue = result.error.issues[0];
  const place = [path, ...(issue?.path.map(String) ?? [])].join(', ').replace(/, (?=\d)/g, ' ');
  if (issue?.code === 'unrecognized_keys') {
    throw unknownName(`${path}, ${issue.keys[0] ?? ''}`, issue.keys[0] ?? '', Object.keys(fileSchema.shape));
  }
  const problem = issue === undefined ? 'it is no sweep' : problemOf(issue);
  throw unusable(place, problem, 'Give tasks, methods and seeds, each a list, and options by their names');
}

/** The error of a name that nobody knows. */
export function unknownName(subject: string, name: string, known: readonly string[]): ConfigurationError {
  const near = nearestName(name, known);
  return unusable(
    subject,
    'there is no option of that name',
    near === undefined ? `Use one of ${known.join(', ')}` : `Did you mean ${near}?`.replace(/\?$/, ''),
  );
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'it is missing';
  return issue.message.replace(/\.$/, '');
}

function requireOnce(path: string, list: string, items: readonly (string | number)[] = []): void {
  const twice = items.find((item, index) => items.indexOf(item) < index);
  if (twice === undefined) return;
  throw unusable(`${path}, ${list}`, `${twice} is there twice`, 'Name everything once');
}

export function unusable(
  subject: string,
  problem: string,
  remedy: string,
  cause?: unknown,
): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject,
    problem,
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}
