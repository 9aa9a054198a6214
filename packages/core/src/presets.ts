import { ConfigurationError } from './errors.js';
import { parseConfiguration } from './configuration.js';
import type { PromptConfiguration, PromptConfigurationInput } from './configuration.js';

const select = { kind: 'select', pool: 4, mixture: 'soft' } as const;

const presets = {
  fixed: {},
  dynamic: {
    position: { level: 'instance' },
    length: { level: 'instance' },
    representation: select,
  },
  adap_pos: { position: { level: 'task' } },
  adap_ins_pos: { position: { level: 'instance' } },
  adap_length: { length: { level: 'task' } },
  adap_ins_length: { length: { level: 'instance' } },
  adap_ins_vec: { representation: select },
  adap_ins_vec_ins_pos: { position: { level: 'instance' }, representation: select },
  adap_pos_ins_vec: { position: { level: 'task' }, representation: select },
} satisfies Record<string, PromptConfigurationInput>;

/** Name of a ready-made configuration. */
export type PresetName = keyof typeof presets;

/** All preset names: `fixed`, `dynamic` and the seven methods of Yang et al. 2023 (arXiv 2303.02909). */
export const presetNames: readonly PresetName[] = Object.keys(presets) as PresetName[];

/**
 * A ready-made configuration, with options of your own on top. An override of a section with a `kind` replaces the
 * section when the kind differs; other sections are merged option by option.
 *
 * @throws ConfigurationError for an unknown name or an override that does not fit.
 */
export function preset(name: PresetName, overrides: PromptConfigurationInput = {}): PromptConfiguration {
  if (!Object.hasOwn(presets, name)) {
    throw new ConfigurationError({
      packageName: '@dynaprompt/core',
      subject: 'preset',
      problem: `'${name}' is unknown`,
      remedy: `Use one of ${presetNames.join(', ')}`,
    });
  }
  const merged: Record<string, unknown> = { ...presets[name] };
  for (const [section, override] of Object.entries(overrides)) {
    merged[section] = mergeSection(merged[section], override);
  }
  return parseConfiguration(merged);
}

function mergeSection(base: unknown, override: unknown): unknown {
  if (!isSection(base) || !isSection(override)) return override;
  if ('kind' in override && override.kind !== base.kind) return override;
  return { ...base, ...override };
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
