import {
  ConfigurationError,
  parseConfiguration,
  preset,
  presetNames,
  type PresetName,
  type PromptConfiguration,
  type PromptConfigurationInput,
} from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/**
 * What to train: `frozen` (no prompt: a linear probe, or zero-shot where the head has no parameters), a preset of
 * `@dynaprompt/core` by name, or a configuration with a name of its own.
 */
export type TrainingMethod =
  'frozen' | PresetName | { readonly name: string; readonly configuration: PromptConfigurationInput };

/** A method with everything filled in. */
export interface ResolvedMethod {
  readonly name: string;
  /** Absent for `frozen`. */
  readonly configuration: PromptConfiguration | undefined;
}

/** Every method that has a name. */
export const methodNames: readonly (PresetName | 'frozen')[] = ['frozen', ...presetNames];

/** The method of that name, with options of one's own on top; a `ConfigurationError` lists the names where there is none. */
export function methodNamed(name: string, overrides: PromptConfigurationInput = {}): TrainingMethod {
  const known = methodNames.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new ConfigurationError({
      packageName,
      subject: `method "${name}"`,
      problem: 'there is no method of that name',
      remedy: `Use one of ${methodNames.join(', ')}`,
    });
  }
  return known === 'frozen' ? known : { name: known, configuration: preset(known, overrides) };
}

/** Looks up presets and checks configurations. */
export function resolveMethod(method: TrainingMethod): ResolvedMethod {
  if (typeof method === 'object') {
    return { name: method.name, configuration: parseConfiguration(method.configuration) };
  }
  const named = methodNamed(method);
  return typeof named === 'object' ? resolveMethod(named) : { name: named, configuration: undefined };
}
