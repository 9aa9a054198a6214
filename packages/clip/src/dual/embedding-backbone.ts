import { initialLinearHead } from '@dynaprompt/backbone';
import { ConfigurationError, DataError, type FrozenBackbone, type ParameterSet } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { products } from './unit-rows.js';

/** What is read of examples, and by what they are known. */
export type EmbeddingParts<Example> = Pick<
  FrozenBackbone<Example>,
  'description' | 'width' | 'classes' | 'prepare' | 'lengthOf' | 'identify' | 'release'
> & {
  /** [B, width] of the prompt-free towers. */
  readonly rows: (examples: readonly Example[]) => Promise<Float32Array>;
};

/** A backbone with a linear head on what the towers say without prompts, for the method `linear-probe`. */
export function embeddingBackbone<Example>({
  rows,
  ...parts
}: EmbeddingParts<Example>): FrozenBackbone<Example> {
  const { classes, width } = parts;
  const predict = async (examples: readonly Example[], head: ParameterSet): Promise<Float32Array> => {
    return linear(await rows(examples), head, width);
  };
  const refuse = (): Promise<never> =>
    Promise.reject(
      new ConfigurationError({
        packageName: PACKAGE_NAME,
        subject: parts.description.name,
        problem: 'a linear probe takes no prompt',
        remedy: 'Open it with openClip or openVqa',
      }),
    );
  return {
    ...parts,
    initialHead: (seed) => initialLinearHead(classes, width, seed),
    promptRows: refuse,
    features: rows,
    pooled: rows,
    predict: (examples, plan, head) => (plan ? refuse() : predict(examples, head)),
    differentiate: refuse,
  };
}

/**
 * x Wᵀ + b of rows x [n, width], for the head's W [classes, width] and b [classes].
 * @throws DataError if the head lacks one of them.
 */
export function linear(rows: Float32Array, head: ParameterSet, width: number): Float32Array {
  const [weight, bias] = [tensorOf(head, 'head.weight'), tensorOf(head, 'head.bias')];
  const logits = products(rows, weight, width);
  return logits.map((logit, index) => logit + (bias[index % bias.length] ?? 0));
}

function tensorOf(head: ParameterSet, name: string): Float32Array {
  const values = head.get(name)?.values;
  if (values) return values;
  throw new DataError({
    packageName: PACKAGE_NAME,
    subject: 'head',
    problem: `it has no tensor ${name}`,
    remedy: 'Pass what initialHead gives, or the tensors that were trained from it',
  });
}
