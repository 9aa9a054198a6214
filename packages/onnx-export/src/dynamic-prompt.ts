import {
  candidatesOf,
  featureScale,
  fixedCandidateOf,
  nullThrows,
  type ParameterTensor,
} from '@dynaprompt/core';
import type { Emitter } from '@dynaprompt/onnx-autodiff';
import { checkExportable, type TunedPrompt } from './tuned-prompt.js';

/** Tensors of an emitted prompt; B examples, l slots, L layers. */
export interface EmittedPrompt {
  /** Float32 [B, kept, d], the rows that some example of the batch uses; those of the first layer. */
  readonly prompts: string;
  /** Float32 [B, L − 1, kept, d] those of the layers behind it; undefined where only the first has prompts. */
  readonly deep: string | undefined;
  /** Int64 [1] kept ≤ l. */
  readonly kept: string;
  /** Int64 [B, 1] chosen position candidate. */
  readonly choice: string;
  /** Int64 [B, 1] active tokens. */
  readonly active: string;
}

/**
 * The networks of a dynamic prompt in operators, deciding as they do at evaluation: the largest logit, the first of equals.
 *
 * @param batch int64 [1], B.
 * @param features float32 [B, d] instance features of the frozen model; undefined where the prompt does not need them.
 * @throws ConfigurationError, DataError when the prompt cannot be exported; the graph is untouched then.
 */
export function emitDynamicPrompt(
  emit: Emitter,
  prompt: TunedPrompt,
  batch: string,
  features: string | undefined,
): EmittedPrompt {
  checkExportable(prompt);
  return new PromptEmitter(emit, prompt, batch, features).emitPrompt();
}

class PromptEmitter {
  readonly #features: string | undefined;

  constructor(
    private readonly emit: Emitter,
    private readonly prompt: TunedPrompt,
    private readonly batch: string,
    features: string | undefined,
  ) {
    this.#features = features === undefined ? undefined : this.#standardise(features);
  }

  emitPrompt(): EmittedPrompt {
    const { emit, prompt } = this;
    const { configuration } = prompt;
    const { slots, position, length } = configuration;
    const candidate = fixedCandidateOf(configuration);
    const choice =
      position.level === 'none'
        ? this.#everywhere(emit.ints(nullThrows(candidate, 'a place that is not learned is fixed')))
        : this.#everywhere(this.#largest('position', candidatesOf(configuration)));
    const rows = this.#represent();
    if (length.level === 'none') {
      const active = this.#everywhere(emit.ints(slots));
      return { ...this.#byLayer(rows), kept: emit.ints(slots), choice, active };
    }
    const active = this.#everywhere(this.#largest('length', slots + 1));
    const kept = emit.reshape(emit.reduceMax(active, [0], 1), emit.ints(1));
    const used = emit.op('Slice', [rows, emit.ints(0), kept, emit.ints(2)]);
    return { ...this.#byLayer(used), kept, choice, active };
  }

  /** Takes prompts [B, L, kept, d] apart. */
  #byLayer(prompts: string): Pick<EmittedPrompt, 'prompts' | 'deep'> {
    const { emit } = this;
    const { layers } = this.prompt;
    const first = emit.op('Gather', [prompts, emit.int(0)], { axis: 1 });
    if (layers === 1) return { prompts: first, deep: undefined };
    const deep = emit.op('Slice', [prompts, emit.ints(1), emit.ints(layers), emit.ints(1)]);
    return { prompts: first, deep };
  }

  /** (h − mean) · scale */
  #standardise(features: string): string {
    const { emit, prompt } = this;
    const { featureStatistics, width } = prompt;
    if (featureStatistics === undefined) return features;
    const centred = emit.sub(features, emit.floats(featureStatistics.mean.slice(), [width]));
    return emit.mul(centred, emit.floats(featureScale(featureStatistics), [width]));
  }

  /** [B, L, l, d] */
  #represent(): string {
    const { emit, prompt } = this;
    const { layers, width } = prompt;
    const { slots, representation } = prompt.configuration;
    const shape = emit.ints(-1, layers, slots, width);
    if (representation.kind === 'select') {
      const { pool, mixture } = representation;
      const values = this.#parameter('representation.pool').values;
      const entries = emit.floats(values.slice(), [pool, layers * slots * width]);
      if (mixture === 'hard') {
        return emit.reshape(emit.op('Gather', [entries, this.#largest('representation', pool)]), shape);
      }
      const weights = emit.op('Softmax', [this.#logits('representation', pool)], { axis: -1 });
      return emit.reshape(emit.op('MatMul', [weights, entries]), shape);
    }
    const { values } = this.#parameter('representation.prompt');
    const rows = emit.floats(values.slice(), [layers, slots, width]);
    if (representation.kind === 'fixed') {
      return emit.op('Expand', [rows, emit.concat([this.batch, emit.ints(1, 1, 1)], 0)]);
    }
    const { rank } = representation;
    const coefficients = emit.reshape(
      this.#affine('representation.update', layers * slots * rank),
      emit.ints(-1, layers, slots, rank),
    );
    return emit.add(rows, emit.op('MatMul', [coefficients, this.#constant('representation.basis')]));
  }

  /** Index of the largest logit, int64 [B], or [1] at task level. */
  #largest(name: string, count: number): string {
    return this.emit.op('ArgMax', [this.#logits(name, count)], { axis: 1, keepdims: 0 });
  }

  #logits(name: string, count: number): string {
    const logits = this.#affine(name, count);
    return this.prompt.configuration.reluLogits ? this.emit.op('Relu', [logits]) : logits;
  }

  /** W h + b, [B, count]; b alone, [1, count], at task level. */
  #affine(name: string, count: number): string {
    const { emit } = this;
    const bias = emit.floats(this.#parameter(`${name}.bias`).values.slice(), [1, count]);
    if (!this.prompt.parameters.has(`${name}.weight`)) return bias;
    const features = nullThrows(this.#features, `'${name}' is decided from features`);
    return emit.op('Gemm', [features, this.#constant(`${name}.weight`), bias], { transB: 1 });
  }

  /** Int64 [B, 1] of int64 [1] or [B]. */
  #everywhere(values: string): string {
    const { emit } = this;
    const column = emit.reshape(values, emit.ints(-1, 1));
    return emit.op('Expand', [column, emit.concat([this.batch, emit.ints(1)], 0)]);
  }

  #constant(name: string): string {
    const { values, shape } = this.#parameter(name);
    return this.emit.floats(values.slice(), shape);
  }

  #parameter(name: string): ParameterTensor {
    return nullThrows(this.prompt.parameters.get(name), `parameter '${name}' was checked`);
  }
}
