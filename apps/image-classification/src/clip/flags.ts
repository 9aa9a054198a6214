import { type Command, InvalidArgumentError, Option } from 'commander';

import { type ClipPresetName, clipPresetNames } from '@dynaprompt/clip';
import { ConfigurationError } from '@dynaprompt/core';
import { type HeadKind, parseCount } from '@dynaprompt/runner';

import type { SplitName } from '../data/load-data.js';
import { packageName } from '../package-name.js';
import { between, type ClipChoice, defaultChoice, isDeepPreset, wordingsOf } from './choice.js';

/** Values of the options of dual encoders, as commander hands them over. */
export interface ClipFlags {
  readonly prompts?: ClipPresetName;
  readonly template?: string;
  readonly clipLayers?: number;
}

/** What `--slots` is where it is not given. */
export const slotsFallback = '10; clip: that of --prompts';

/** Adds how dual encoders are opened. */
export function addClip(command: Command): Command {
  const { prompts, template } = defaultChoice;
  return command
    .addOption(
      new Option(
        '--prompts <preset>',
        `head clip: published method that prompts of all methods go on top of (default: ${prompts})`,
      ).choices(clipPresetNames),
    )
    .option(
      '--template <words>',
      `head clip: words of answers without prompts, several with ${between} between them (default: ${template})`,
      parseTemplate,
    )
    .option(
      '--clip-layers <count>',
      'maple, ivlp: layers with prompts of their own (default: 9, or what both towers have)',
      parseCount,
    );
}

/** What was chosen, with what was left open. */
export function choiceOf({ prompts, template, clipLayers }: ClipFlags): ClipChoice {
  return {
    prompts: prompts ?? defaultChoice.prompts,
    template: template ?? defaultChoice.template,
    clipLayers: clipLayers ?? null,
  };
}

/** @throws ConfigurationError where options of dual encoders are given for another head, or have no meaning. */
export function requireClip(
  { head, prompts, template, clipLayers }: ClipFlags & { readonly head: HeadKind },
  split: SplitName | undefined,
): void {
  requireClasses(head, split);
  const given = Object.entries({ prompts, template, 'clip-layers': clipLayers }).find(
    ([, value]) => value !== undefined,
  );
  if (head !== 'clip' && given !== undefined) {
    const [name, value] = given;
    throw unusable(`--${name} ${value}`, `--head ${head} reads no names of classes`, 'Use --head clip');
  }
  const preset = prompts ?? defaultChoice.prompts;
  if (clipLayers === undefined || isDeepPreset(preset)) return;
  throw unusable(
    `--clip-layers ${clipLayers}`,
    `--prompts ${preset} says by itself which layers have prompts`,
    'Leave it out, or use --prompts maple or ivlp',
  );
}

/** @throws ConfigurationError where a split has classes that a head cannot have. */
export function requireClasses(head: HeadKind, split: SplitName | undefined): void {
  if (split !== 'base-to-novel' || head === 'clip') return;
  throw unusable(
    '--split base-to-novel',
    `--head ${head} cannot tell classes that it was not trained on`,
    'Use --head clip, or --split few-shot',
  );
}

/** Words with a place for the class in each. */
function parseTemplate(text: string): string {
  for (const words of wordingsOf({ template: text })) {
    if (words.split('{class}').length === 2) continue;
    throw new InvalidArgumentError(
      `Write {class} once in each of the wordings, such as "a photo of a {class}".`,
    );
  }
  return text;
}

function unusable(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy });
}
