import { readFile } from 'node:fs/promises';

import { type Command, InvalidArgumentError } from 'commander';

import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/**
 * Takes options from a JSON file whose keys are their long names; what stands on the command line goes before.
 *
 * @throws ConfigurationError naming the file and the option that it does not know or cannot use.
 */
export async function readConfiguration(command: Command, path: string): Promise<void> {
  let values: unknown;
  try {
    values = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const problem = `it cannot be read as JSON (${(cause as Error).message})`;
    throw unusable(path, problem, 'Name a JSON file with an object of options, such as {"steps": 200}');
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw unusable(path, 'it holds no object', 'Write an object of options, such as {"steps": 200}');
  }
  const known = command.options.filter(({ required, long }) => required && long !== '--config');
  for (const [name, value] of Object.entries(values)) {
    const option = known.find(({ long }) => long === `--${name}`);
    if (option === undefined) {
      const names = known.map(({ long }) => (long ?? '').slice(2)).join(', ');
      throw unusable(`${path}, ${name}`, 'there is no option of that name', `Use ${names}`);
    }
    const attribute = option.attributeName();
    if (command.getOptionValueSource(attribute) === 'cli') continue;
    try {
      const text = textOf(value);
      const parse = option.parseArg as ((text: string, previous: unknown) => unknown) | undefined;
      const parsed = parse === undefined ? text : parse(text, undefined);
      command.setOptionValueWithSource(attribute, parsed, 'config');
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw unusable(
        `${path}, ${name}`,
        `${JSON.stringify(value)} cannot be used`,
        error.message.replace(/\.$/, ''),
      );
    }
  }
}

/** A JSON value as one would write it behind the option's name. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(',');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, part]) => `${name}=${String(part)}`)
      .join(',');
  }
  return String(value);
}

function unusable(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy });
}
