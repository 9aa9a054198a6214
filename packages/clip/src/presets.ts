import {
  ConfigurationError,
  preset,
  type PromptConfiguration,
  type PromptConfigurationInput,
} from '@dynaprompt/core';
import type { DualOptions } from './dual/options.js';
import { PACKAGE_NAME } from './package-name.js';

/** A published method: a configuration of the core, and how the backbone is opened for it. */
export interface ClipPreset
  extends Required<Pick<DualOptions, 'prompts' | 'reserve'>>, Pick<DualOptions, 'coupling' | 'layers'> {
  readonly configuration: PromptConfiguration;
  /** Prompts of the text tower depend on the image, as its configuration says. */
  readonly conditioned: boolean;
}

type Base = Omit<ClipPreset, 'configuration' | 'reserve'> & {
  readonly configuration: PromptConfigurationInput;
};

const presets = {
  /** Zhou et al. 2022a: 16 tokens of context in front of the class name, or (`position.candidate`) behind it. */
  coop: { prompts: 'text', conditioned: false, configuration: { slots: 16 } },
  /** Zhou et al. 2022b: 4 tokens, to which a small network adds what it makes of the image. */
  cocoop: {
    prompts: 'text',
    conditioned: true,
    configuration: { slots: 4, representation: { kind: 'generate', rank: 4 } },
  },
  /** Jia et al. 2022, VPT-shallow. */
  vpt: { prompts: 'vision', conditioned: false, configuration: { slots: 8 } },
  /** Jia et al. 2022, VPT-deep: every layer has prompts of its own. */
  'vpt-deep': { prompts: 'vision', conditioned: false, configuration: { slots: 8, layers: 'all' } },
  /** Khattak et al. 2023: 2 tokens in the first 9 layers of both towers, those of the images made from those of the texts. */
  maple: {
    prompts: 'both',
    conditioned: false,
    coupling: 'linear',
    configuration: { slots: 2, layers: 9 },
  },
  /** Khattak et al. 2023, independent vision-language prompting: as `maple`, but the towers' prompts are trained side by side. */
  ivlp: {
    prompts: 'both',
    conditioned: false,
    coupling: 'independent',
    configuration: { slots: 2, layers: 9 },
  },
} as const satisfies Record<string, Base>;

/** Name of a published method. */
export type ClipPresetName = keyof typeof presets;

/** All of them. */
export const clipPresetNames = Object.keys(presets) as readonly ClipPresetName[];

/**
 * A published method as a plain configuration: give all but `configuration` to `openClip`, and `configuration` to `trainPrompt`.
 * Options of your own go on top, such as a position that is learned: every method can be made dynamic.
 * @throws ConfigurationError for an unknown name or an option that does not fit.
 */
export function clipPreset(name: ClipPresetName, overrides: PromptConfigurationInput = {}): ClipPreset {
  if (!Object.hasOwn(presets, name)) {
    throw new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: 'preset',
      problem: `'${name as string}' is unknown`,
      remedy: `Use one of ${clipPresetNames.join(', ')}`,
    });
  }
  const { configuration: own, ...backbone }: Base = presets[name];
  const configuration = preset('fixed', { ...own, ...overrides });
  const { slots, layers, position, length, representation } = configuration;
  const reads = [position.level, length.level].includes('instance') || representation.kind !== 'fixed';
  const isCoupled = backbone.coupling === 'linear';
  if (isCoupled && layers === 'all') {
    throw new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: 'preset, layers',
      problem: 'couplings need a number of layers',
      remedy: 'Give the number of layers that both towers have',
    });
  }
  return {
    ...backbone,
    conditioned: backbone.conditioned || (reads && backbone.prompts !== 'vision'),
    configuration,
    reserve: slots,
    ...(isCoupled && typeof layers === 'number' ? { layers } : {}),
  };
}
