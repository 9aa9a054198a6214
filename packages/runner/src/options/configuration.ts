import { readFileSync } from 'node:fs';

import { Command, InvalidArgumentError, type Option } from 'commander';
import { parseDocument } from 'yaml';

import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import { nestedOf, type OptionValue, type Setting } from '../sweep/axes.js';
import { optionNames } from '../sweep/options.js';
import { nearestName } from '../sweep/suggestion.js';

/** Names of the options of prompts: `prompt.length.level` and the like. */
const promptNames = optionNames(new Command()).filter((name) => name.startsWith('prompt.'));

/** Options that say how a command is given, and are no part of a configuration. */
const aboutCommand = ['--config', '--set'];

/**
 * Adds `--config` and `--set`: values of the command's other options by their long names, and of prompts by dotted names. What stands
 * on the command line goes before what stands in a file, wherever it stands; of two values on the command line the last counts.
 * Everything is read while words are parsed, so that a file can give what is required.
 *
 * @throws ConfigurationError, out of parsing, naming the file or option, with the name that was probably meant.
 */
export function addConfiguration(command: Command): Command {
  /** Of prompts, by dotted name. */
  const prompt = { config: {} as Setting, cli: {} as Setting };
  const apply = (source: 'config' | 'cli', subject: string, name: string, value: unknown): void => {
    if (promptNames.includes(name)) {
      prompt[source] = { ...prompt[source], [name.slice('prompt.'.length)]: value as OptionValue };
      command.setOptionValueWithSource('prompt', nestedOf({ ...prompt.config, ...prompt.cli }), source);
    } else applyOption(command, source, subject, name, value);
  };
  return command
    .option('--config <file>', 'YAML file with these options by their long names; flags go before it')
    .option(
      '--set <name=value>',
      'one of these options, or one of prompts by its dotted name, such as prompt.position.mode=insert',
    )
    .on('option:config', (path: string) => {
      for (const [name, value] of entriesOf(readYaml(path), '')) {
        apply('config', `${path}, ${name}`, name, value);
      }
    })
    .on('option:set', (text: string) => {
      const at = text.indexOf('=');
      if (at < 1) throw unusable(`--set ${text}`, 'it is no NAME=VALUE', 'Write --set steps=200');
      const name = text.slice(0, at).trim();
      apply('cli', `--set ${name}`, name, parseYaml(text.slice(at + 1), `--set ${name}`));
    });
}

/** The options of a command that make up its configuration. */
export function configurableOptions(command: Command): readonly (Option & { readonly long: string })[] {
  return command.options.filter(
    (option): option is Option & { readonly long: string } =>
      option.required && option.long !== undefined && !aboutCommand.includes(option.long),
  );
}

function applyOption(
  command: Command,
  source: 'config' | 'cli',
  subject: string,
  name: string,
  value: unknown,
): void {
  const options = configurableOptions(command);
  const option = options.find(({ long }) => long === `--${name}`);
  if (option === undefined) {
    const known = [...options.map(({ long }) => long.slice(2)), ...promptNames];
    const near = nearestName(name, known);
    throw unusable(
      subject,
      'there is no option of that name',
      near === undefined ? `Use one of ${known.join(', ')}` : `Did you mean ${near}`,
    );
  }
  const attribute = option.attributeName();
  if (source === 'config' && command.getOptionValueSource(attribute) === 'cli') return;
  // Not given: the default stands.
  if (value === null) return;
  try {
    const parse = option.parseArg as ((text: string, previous: unknown) => unknown) | undefined;
    const text = textOf(value);
    command.setOptionValueWithSource(attribute, parse === undefined ? text : parse(text, undefined), source);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw unusable(subject, `${JSON.stringify(value)} cannot be used`, error.message.replace(/\.$/, ''));
  }
}

/** A mapping of names to values. */
function readYaml(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw unusable(path, `it cannot be read (${(cause as Error).message})`, 'Name a YAML file', cause);
  }
  const content = parseYaml(text, path) ?? {};
  if (typeof content === 'object' && !Array.isArray(content)) return content as Record<string, unknown>;
  throw unusable(path, 'it holds no options', 'Write an option a line, such as steps: 200');
}

function parseYaml(text: string, subject: string): unknown {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault === undefined) return document.toJS();
  const [line = ''] = fault.message.split('\n');
  throw unusable(subject, `it is no YAML (${line.replace(/:$/, '')})`, 'Correct that line', fault);
}

/** Values by dotted name. */
function entriesOf(tree: Readonly<Record<string, unknown>>, prefix: string): [string, unknown][] {
  return Object.entries(tree).flatMap(([key, value]): [string, unknown][] => {
    const name = `${prefix}${key}`;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? entriesOf(value as Record<string, unknown>, `${name}.`)
      : [[name, value]];
  });
}

/** A value as one would write it behind the option's name. */
function textOf(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(',') : String(value);
}

function unusable(subject: string, problem: string, remedy: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject,
    problem,
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}
