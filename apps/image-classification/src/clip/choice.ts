import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import {
  type ClipPreset,
  clipPreset,
  type ClipPresetName,
  clipPresetNames,
  DEFAULT_TEMPLATE,
} from '@dynaprompt/clip';
import {
  ConfigurationError,
  parseConfiguration,
  type PromptConfiguration,
  type PromptConfigurationInput,
} from '@dynaprompt/core';
import { type ComparisonOptions, methodOf, placeOf } from '@dynaprompt/runner';

import { bundled } from '../bundled.js';
import { packageName } from '../package-name.js';

/** How a dual encoder is used for recognition. Plain JSON. */
export interface ClipChoice {
  /** The published method that says how the towers are opened, and what prompts of all methods go on top of. */
  readonly prompts: ClipPresetName;
  /** Words of zero-shot answers, several with {@link between} between them. */
  readonly template: string;
  /** Layers with prompts of their own; null: those of the published method, or what both towers have where that is less. */
  readonly clipLayers: number | null;
}

/** What stands between wordings of a template. */
export const between = '|';

/** What is used where nothing is chosen. */
export const defaultChoice: ClipChoice = { prompts: 'coop', template: DEFAULT_TEMPLATE, clipLayers: null };

/** Layers of towers whose configuration leaves them out, as in those of CLIP. */
const usualLayers = 12;

/** The published method of a name. */
export function presetNamed(name: unknown): ClipPresetName | undefined {
  return clipPresetNames.find((known) => known === name);
}

/** Wordings of a template. */
export function wordingsOf({ template }: Pick<ClipChoice, 'template'>): readonly string[] {
  return template.split(between).map((words) => words.trim());
}

/** What the prompts of all methods go on top of: what the published method says of its own. */
export function basePromptOf(
  { prompts, clipLayers }: Pick<ClipChoice, 'prompts' | 'clipLayers'>,
  backbone: string,
): PromptConfigurationInput {
  const { configuration } = clipPreset(prompts);
  const usual = new Map(Object.entries(parseConfiguration({})));
  const { slots, layers } = configuration;
  const own = Object.entries(configuration).filter(
    ([name, value]) => !isDeepStrictEqual(value, usual.get(name)),
  );
  return {
    ...Object.fromEntries(own),
    slots,
    ...(isDeep(layers) && { layers: clipLayers ?? Math.min(layers, layersOfBoth(backbone)) }),
  };
}

/** How the towers are opened for a prompt. @throws ConfigurationError where they cannot take it. */
export function towersFor(
  prompts: ClipPresetName,
  configuration: PromptConfiguration,
): Omit<ClipPreset, 'configuration'> {
  const { prompts: towers, conditioned, reserve, coupling, layers } = clipPreset(prompts, configuration);
  return {
    prompts: towers,
    conditioned,
    reserve,
    ...(coupling !== undefined && { coupling }),
    ...(layers !== undefined && { layers }),
  };
}

/** @throws ConfigurationError naming a method that dual encoders cannot be trained with in the way that was chosen. */
export function requireMethods(
  choice: ClipChoice,
  options: Pick<ComparisonOptions, 'methods' | 'prompt' | 'slots' | 'basePrompt'>,
): void {
  for (const name of options.methods) {
    const method = methodOf(name, options);
    if (typeof method === 'object') towersFor(choice.prompts, parseConfiguration(method.configuration));
    if (method !== 'fine-tuning') continue;
    throw new ConfigurationError({
      packageName,
      subject: `method ${method}`,
      problem: 'the weights of dual encoders stay as they are',
      remedy: 'Leave it out, or use --head linear',
    });
  }
}

/** Whether a published method has prompts of their own in a number of layers. */
export function isDeepPreset(prompts: ClipPresetName): boolean {
  return isDeep(clipPreset(prompts).configuration.layers);
}

function isDeep(layers: PromptConfiguration['layers']): layers is number {
  return typeof layers === 'number' && layers > 1;
}

/** Layers that both towers have; any number of a model that is not here yet. */
function layersOfBoth(backbone: string): number {
  try {
    const file = join(placeOf(backbone, bundled), 'config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as Partial<Record<string, unknown>>;
    return Math.min(layersOf(config.text_config), layersOf(config.vision_config));
  } catch {
    return Infinity;
  }
}

function layersOf(tower: unknown): number {
  const { num_hidden_layers: layers = usualLayers } = Object(tower) as {
    readonly num_hidden_layers?: number;
  };
  return layers;
}
