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

const baselines = ['frozen', 'linear-probe', 'fine-tuning'] as const;

/**
 * A method without a prompt. `frozen`: the frozen backbone as it is, zero-shot, where its head has no parameters, otherwise a
 * linear probe. `linear-probe`: the head alone. `fine-tuning`: head and all weights.
 */
export type BaselineName = (typeof baselines)[number];

/** What to train: a baseline, a preset of `@dynaprompt/core` by name, or a configuration with a name of its own. */
export type TrainingMethod =
  BaselineName | PresetName | { readonly name: string; readonly configuration: PromptConfigurationInput };

/** A method with everything filled in. */
export type ResolvedMethod =
  | { readonly name: BaselineName; readonly kind: BaselineName; readonly configuration: undefined }
  | { readonly name: string; readonly kind: 'prompt'; readonly configuration: PromptConfiguration };

/** Every method without a prompt. */
export const baselineNames: readonly BaselineName[] = baselines;

/** Every method that has a name. */
export const methodNames: readonly (BaselineName | PresetName)[] = [...baselines, ...presetNames];

/**
 * The method of that name, with options of one's own on top, and under it `base`; a `ConfigurationError` lists the names where there
 * is none.
 */
export function methodNamed(
  name: string,
  overrides: PromptConfigurationInput = {},
  base: PromptConfigurationInput = {},
): TrainingMethod {
  const known = methodNames.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new ConfigurationError({
      packageName,
      subject: `method "${name}"`,
      problem: 'there is no method of that name',
      remedy: `Use one of ${methodNames.join(', ')}`,
    });
  }
  return isBaseline(known) ? known : { name: known, configuration: preset(known, overrides, base) };
}

/** Looks up presets and checks configurations. */
export function resolveMethod(method: TrainingMethod): ResolvedMethod {
  if (typeof method === 'object') {
    return { name: method.name, kind: 'prompt', configuration: parseConfiguration(method.configuration) };
  }
  const named = methodNamed(method);
  return typeof named === 'object'
    ? resolveMethod(named)
    : { name: named as BaselineName, kind: named as BaselineName, configuration: undefined };
}

function isBaseline(name: string): name is BaselineName {
  return baselines.some((baseline) => baseline === name);
}
