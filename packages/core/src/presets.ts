import { ConfigurationError } from './errors.js';
import { parseConfiguration } from './configuration.js';
import type { PromptConfiguration, PromptConfigurationInput } from './configuration.js';

const select = { kind: 'select', pool: 4, mixture: 'soft' } as const;

/** The seven methods of Yang et al. 2023 (arXiv 2303.02909). */
const published = {
  adap_pos: { position: { level: 'task' } },
  adap_ins_pos: { position: { level: 'instance' } },
  adap_length: { length: { level: 'task' } },
  adap_ins_length: { length: { level: 'instance' } },
  adap_ins_vec: { representation: select },
  adap_ins_vec_ins_pos: { position: { level: 'instance' }, representation: select },
  adap_pos_ins_vec: { position: { level: 'task' }, representation: select },
} satisfies Record<string, PromptConfigurationInput>;

const own = {
  fixed: {},
  fixed_back: { position: { candidate: 'back' } },
  p_tuning: { reparameterisation: { kind: 'mlp' } },
  deep: { layers: 'all' },
  dynamic: {
    position: { level: 'instance' },
    length: { level: 'instance' },
    representation: select,
  },
} satisfies Record<string, PromptConfigurationInput>;

/** What the authors' public code does beside the factors: ReLU on logits, choices drawn at evaluation, its temperatures. */
const faithful = {
  reluLogits: true,
  noiseAtEvaluation: true,
  temperature: { schedule: 'published' },
} satisfies PromptConfigurationInput;

/** Name of a ready-made configuration. */
export type PresetName = keyof typeof own | keyof typeof published | `faithful:${keyof typeof published}`;

const presets = new Map<string, PromptConfigurationInput>([
  ...Object.entries(own),
  ...Object.entries(published),
  ...Object.entries(published).map(
    ([name, configuration]) => [`faithful:${name}`, { ...configuration, ...faithful }] as const,
  ),
]);

/**
 * All preset names: `fixed` (in front of the input), `fixed_back` (behind it), `p_tuning` (MLP-reparameterised), `deep`
 * (VPT-deep), `dynamic` (all three factors by instance), the seven methods of Yang et al. 2023 (arXiv 2303.02909), and each
 * of those as `faithful:…` with the choices of the authors' public code.
 */
export const presetNames: readonly PresetName[] = [...presets.keys()] as PresetName[];

/**
 * A ready-made configuration, with options of your own on top. An override of a section with a `kind` replaces the
 * section when the kind differs; other sections are merged option by option.
 *
 * @param base what the ready-made one goes on top of, in the same way.
 * @throws ConfigurationError for an unknown name or an override that does not fit.
 */
export function preset(
  name: PresetName,
  overrides: PromptConfigurationInput = {},
  base: PromptConfigurationInput = {},
): PromptConfiguration {
  const named = presets.get(name);
  if (named === undefined) {
    throw new ConfigurationError({
      packageName: '@dynaprompt/core',
      subject: 'preset',
      problem: `'${name}' is unknown`,
      remedy: `Use one of ${presetNames.join(', ')}`,
    });
  }
  const merged: Record<string, unknown> = { ...base };
  for (const [section, override] of [...Object.entries(named), ...Object.entries(overrides)]) {
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
