import { initialLinearHead } from '@dynaprompt/backbone';
import { ConfigurationError, type FrozenBackbone, type ParameterSet } from '@dynaprompt/core';
import { products } from '../dual/unit-rows.js';
import { PACKAGE_NAME } from '../package-name.js';

/** What a linear probe reads. */
export interface ProbeParts<Example> {
  /** The backbone that is probed; its sessions become the probe's. */
  readonly backbone: FrozenBackbone<Example>;
  /** Width of the rows. */
  readonly width: number;
  /** [B, width] of the prompt-free towers. */
  rows(examples: readonly Example[]): Promise<Float32Array>;
  /** Tells the rows apart from those of the backbone in caches. */
  readonly kind: string;
}

/** A backbone with a linear head on what it computes without prompts, for the methods `frozen` and `linear-probe`. */
export function probeOf<Example>({ backbone, width, rows, kind }: ProbeParts<Example>): FrozenBackbone<Example> {
  const { classes } = backbone;
  const predict = async (examples: readonly Example[], head: ParameterSet): Promise<Float32Array> => {
    const weight = head.get('head.weight')?.values ?? new Float32Array();
    const bias = head.get('head.bias')?.values ?? new Float32Array();
    const logits = products(await rows(examples), weight, width);
    return logits.map((logit, index) => logit + (bias[index % classes] ?? 0));
  };
  const refuse = (): Promise<never> =>
    Promise.reject(
      new ConfigurationError({
        packageName: PACKAGE_NAME,
        subject: backbone.description.name,
        problem: 'a linear probe takes no prompt',
        remedy: 'Open it with openClip or openVqa',
      }),
    );
  return {
    ...backbone,
    width,
    initialHead: (seed) => initialLinearHead(classes, width, seed),
    promptRows: refuse,
    features: rows,
    pooled: rows,
    predict: (examples, plan, head) => (plan ? refuse() : predict(examples, head)),
    differentiate: refuse,
    identify: (example) => `${kind} ${String(backbone.identify(example))}`,
  };
}
