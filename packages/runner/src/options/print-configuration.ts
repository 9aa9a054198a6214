import type { Command } from 'commander';
import { stringify } from 'yaml';

import { resolveSettings } from '@dynaprompt/training';

import type { ComparisonOptions } from './comparison.js';
import { configurableOptions } from './configuration.js';

/**
 * Everything that a `run` was told or has by default, as YAML that `--config` takes: read again it gives the same run.
 *
 * @param options what the flags of the command come to.
 */
export function printedConfiguration(command: Command, options: ComparisonOptions, output: string): string {
  const { training, steps, slots, evaluateEvery, evaluation, earlyStopping, prompt } = options;
  const { prompt: rate, networks, head, weights } = training.learningRates;
  const settings = resolveSettings({ ...training, ...(evaluateEvery && { evaluateEvery }), steps });
  const resolved: Readonly<Record<string, unknown>> = {
    'learning-rate': rate,
    'network-learning-rate': networks,
    'head-learning-rate': head,
    'weights-learning-rate': weights,
    'weight-decay': settings.weightDecay,
    'clip-norm': settings.clipNorm,
    'clip-scope': settings.clipScope,
    slots,
    'evaluate-every': settings.evaluateEvery,
    evaluation,
    output,
    ...(earlyStopping && { 'minimum-gain': earlyStopping.minimumGain }),
  };
  const entries = configurableOptions(command).flatMap((option): [string, unknown][] => {
    const name = option.long.slice(2);
    const value = resolved[name] ?? (command.getOptionValue(option.attributeName()) as unknown);
    return value === undefined ? [] : [[name, spelled(value)]];
  });
  return stringify({ ...Object.fromEntries(entries), ...(prompt && { prompt }) }, { lineWidth: 0 });
}

/** A value as its option takes it: undoes what reading it has made of it. */
function spelled(value: unknown): unknown {
  if (value === false) return 'none';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { steps, kind, temperature } = value as {
    readonly steps?: number;
    readonly kind?: string;
    readonly temperature?: number;
  };
  return steps ?? temperature ?? kind;
}
