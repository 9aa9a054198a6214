import type {
  BackboneDescription,
  BackboneStep,
  FineTuning,
  FrozenBackbone,
  GradientRequest,
  LabelledBatch,
  ParameterSet,
  PromptPlan,
} from '@dynaprompt/core';

import { ToyFineTuning } from './toy-fine-tuning.test.fixture.js';
import {
  crossEntropy,
  dot,
  tanhLayer,
  tanhLayerGradient,
  weights,
  weightStream,
} from './toy-network.test.fixture.js';

/** Token numbers, 0 ≤ token < {@link ToyOptions.vocabulary}. */
export type ToyExample = readonly number[];

export interface ToyOptions {
  readonly width?: number;
  readonly classes?: number;
  /** Predict a number of this range, with one class. */
  readonly range?: readonly [number, number];
  readonly vocabulary?: number;
  /** `linear`: trainable; `fixed`: a frozen random read-out, so that only the prompt can learn. */
  readonly head?: 'linear' | 'fixed';
  readonly seed?: number;
  /** Size of the position vectors, that is, how much it matters where a row stands. */
  readonly positionScale?: number;
}

/** One example's forward pass, kept for the backward one. */
interface Pass {
  /** [T] row of [P; X] at every place. */
  readonly order: readonly number[];
  /** [T][d] rows after the first layer. */
  readonly hidden: readonly Float64Array[];
  /** [T] share of every row in the mean, before normalisation. */
  readonly shares: readonly number[];
  readonly mean: Float64Array;
  readonly pooled: Float64Array;
}

const places = 64;

/**
 * A small real frozen model: rows of [P; X] get a position vector, go through tanh(W₁ ·), are averaged by their gates, go
 * through tanh(W₂ ·), and a head reads the result. Where a prompt stands matters, because of the position vectors.
 */
export class ToyBackbone implements FrozenBackbone<ToyExample> {
  readonly description: BackboneDescription;
  readonly width: number;
  readonly classes: number;
  readonly range: readonly [number, number] | undefined;
  /** With a linear head only. */
  readonly fineTuning?: () => Promise<FineTuning<ToyExample>>;
  /** Forward passes of examples so far. */
  passes = 0;
  private readonly first: Float64Array;
  private readonly second: Float64Array;
  private readonly table: readonly Float64Array[];
  private readonly positions: readonly Float64Array[];
  private readonly readOut: Float64Array;
  private readonly head: 'linear' | 'fixed';

  constructor(options: ToyOptions = {}) {
    const { width = 8, classes = 2, vocabulary = 12, head = 'linear', seed = 1, positionScale = 1 } = options;
    this.width = width;
    this.classes = classes;
    this.range = options.range;
    this.head = head;
    const next = weightStream(seed);
    const scale = Math.sqrt(3 / width);
    this.first = weights(width * width, scale * 1.2, next);
    this.second = weights(width * width, scale * 2, next);
    this.table = Array.from({ length: vocabulary }, () => weights(width, 1, next));
    this.positions = Array.from({ length: places }, () => weights(width, positionScale, next));
    this.readOut = weights(classes * width, 2, next);
    if (head === 'linear') this.fineTuning = () => Promise.resolve(new ToyFineTuning(this.table));
    this.description = {
      name: 'toy',
      family: 'toy',
      revision: `toy-${seed}`,
      dtype: 'fp64',
      parameters: 2 * width * width,
      maximumTokens: places,
      layers: 1,
    };
  }

  initialHead(seed: number): ParameterSet {
    if (this.head === 'fixed') return new Map();
    const next = weightStream(seed + 1000);
    const { classes, width } = this;
    return new Map([
      [
        'head.weight',
        { shape: [classes, width], values: Float32Array.from(weights(classes * width, 0.1, next)) },
      ],
      ['head.bias', { shape: [classes], values: new Float32Array(classes) }],
    ]);
  }

  promptRows(count: number, offset: number): Promise<Float32Array> {
    const rows = new Float32Array(count * this.width);
    for (let row = 0; row < count; row++) {
      rows.set(this.table[(row + offset) % this.table.length] ?? [], row * this.width);
    }
    return Promise.resolve(rows);
  }

  features(examples: readonly ToyExample[]): Promise<Float32Array> {
    return Promise.resolve(this.join(examples.map((example) => this.pass(example, undefined, 0).mean)));
  }

  pooled(examples: readonly ToyExample[]): Promise<Float32Array> {
    return Promise.resolve(this.join(examples.map((example) => this.pass(example, undefined, 0).pooled)));
  }

  predict(
    examples: readonly ToyExample[],
    plan: PromptPlan | undefined,
    head: ParameterSet,
  ): Promise<Float32Array> {
    const rows = examples.map((example, row) => this.logits(this.pass(example, plan, row).pooled, head));
    return Promise.resolve(this.join(rows.map((scores) => this.inUnits(scores))));
  }

  differentiate(
    batch: LabelledBatch<ToyExample>,
    plan: PromptPlan,
    head: ParameterSet,
    request: GradientRequest,
  ): Promise<BackboneStep> {
    const { width, classes } = this;
    const size = batch.examples.length;
    const prompts = new Float32Array(size * plan.slots * width);
    const position = request.position ? new Float32Array(size * plan.position.candidates) : undefined;
    const gates = request.gates ? new Float32Array(size * plan.slots) : undefined;
    const headGradient = new Map(
      [...head].map(([name, tensor]) => [name, new Float32Array(tensor.values.length)]),
    );
    const logits: Float64Array[] = [];
    let loss = 0;
    batch.examples.forEach((example, row) => {
      const pass = this.pass(example, plan, row);
      const scores = this.logits(pass.pooled, head);
      const entropy = this.lossOf(scores, batch, row);
      loss += entropy.loss / size;
      logits.push(this.inUnits(scores));
      const scoreGradient = entropy.gradient.map((value) => value / size);
      const weight = this.headWeight(head);
      const pooledGradient = new Float64Array(width);
      for (let label = 0; label < classes; label++) {
        const slope = scoreGradient[label] ?? 0;
        add(headGradient.get('head.bias'), label, slope);
        for (let column = 0; column < width; column++) {
          add(pooledGradient, column, slope * (weight[label * width + column] ?? 0));
          add(headGradient.get('head.weight'), label * width + column, slope * (pass.pooled[column] ?? 0));
        }
      }
      const meanGradient = tanhLayerGradient(this.second, pass.pooled, pooledGradient);
      const total = pass.shares.reduce((sum, share) => sum + share, 0);
      // d mean / d share of place t: (hidden[t] − mean) / total
      pass.order.forEach((source, place) => {
        const hidden = pass.hidden[place] ?? new Float64Array(width);
        if (source < plan.slots && gates !== undefined) {
          gates[row * plan.slots + source] =
            (dot(meanGradient, hidden) - dot(meanGradient, pass.mean)) / total;
        }
      });
      const rowGradients = pass.order.map((_, place) => {
        const share = (pass.shares[place] ?? 0) / total;
        return tanhLayerGradient(
          this.first,
          pass.hidden[place] ?? new Float64Array(width),
          meanGradient.map((value) => value * share),
        );
      });
      pass.order.forEach((source, place) => {
        if (source < plan.slots) prompts.set(rowGradients[place] ?? [], (row * plan.slots + source) * width);
      });
      for (let candidate = 0; position !== undefined && candidate < plan.position.candidates; candidate++) {
        const order = layout(plan, row, candidate, example.length);
        position[row * plan.position.candidates + candidate] = order.reduce(
          (sum, source, place) =>
            sum +
            dot(rowGradients[place] ?? new Float64Array(width), this.sourceRow(example, plan, row, source)),
          0,
        );
      }
    });
    return Promise.resolve({
      loss,
      logits: this.join(logits),
      plan: { prompts, position, gates },
      head: headGradient,
    });
  }

  lengthOf(example: ToyExample): number {
    return example.length;
  }

  identify(example: ToyExample): string {
    return example.join(' ');
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  /** Loss of example 0 of a plan whose assembled rows are E = Σ_j mixture_j C_j; what dL/dg is the derivative of. */
  mixtureLoss(
    example: ToyExample,
    label: number,
    plan: PromptPlan,
    head: ParameterSet,
    mixture: readonly number[],
  ): number {
    const order = layout(plan, 0, plan.position.choice[0] ?? 0, example.length);
    const rows = order.map(() => new Float64Array(this.width));
    mixture.forEach((share, candidate) => {
      layout(plan, 0, candidate, example.length).forEach((source, place) => {
        this.sourceRow(example, plan, 0, source).forEach((value, column) => {
          add(rows[place], column, share * value);
        });
      });
    });
    return crossEntropy(this.logits(this.run(order, rows, plan, 0).pooled, head), label).loss;
  }

  private pass(example: ToyExample, plan: PromptPlan | undefined, row: number): Pass {
    this.passes++;
    const order =
      plan === undefined
        ? example.map((_, place) => place)
        : layout(plan, row, plan.position.choice[row] ?? 0, example.length);
    const rows = order.map((source) => this.sourceRow(example, plan, row, source));
    return this.run(order, rows, plan, row);
  }

  private run(
    order: readonly number[],
    rows: readonly Float64Array[],
    plan: PromptPlan | undefined,
    row: number,
  ): Pass {
    const slots = plan?.slots ?? 0;
    const hidden = rows.map((values, place) => {
      const position = this.positions[place] ?? new Float64Array(this.width);
      return tanhLayer(
        this.first,
        values.map((value, at) => value + (position[at] ?? 0)),
      );
    });
    const shares = order.map((source) => (source < slots ? (plan?.gates?.[row * slots + source] ?? 1) : 1));
    const total = shares.reduce((sum, share) => sum + share, 0);
    const mean = new Float64Array(this.width);
    hidden.forEach((values, place) => {
      values.forEach((value, column) => {
        add(mean, column, (value * (shares[place] ?? 0)) / total);
      });
    });
    return { order, hidden, shares, mean, pooled: tanhLayer(this.second, mean) };
  }

  /** Row `source` of [P; X], [d]. */
  private sourceRow(
    example: ToyExample,
    plan: PromptPlan | undefined,
    row: number,
    source: number,
  ): Float64Array {
    const slots = plan?.slots ?? 0;
    if (plan !== undefined && source < slots) {
      const start = (row * slots + source) * this.width;
      return Float64Array.from(plan.prompts.subarray(start, start + this.width));
    }
    return this.table[example[source - slots] ?? 0] ?? new Float64Array(this.width);
  }

  /** Loss of an example, and its gradient for the scores. */
  private lossOf(
    scores: Float64Array,
    { labels, targets }: LabelledBatch<ToyExample>,
    row: number,
  ): { loss: number; gradient: Float64Array } {
    if (this.range === undefined) return crossEntropy(scores, labels[row] ?? 0);
    const [lowest, highest] = this.range;
    const difference = (scores[0] ?? 0) - ((targets?.[row] ?? NaN) - lowest) / (highest - lowest);
    return { loss: difference ** 2, gradient: Float64Array.of(2 * difference) };
  }

  /** Scores as logits: numbers in the units of the range. */
  private inUnits(scores: Float64Array): Float64Array {
    if (this.range === undefined) return scores;
    const [lowest, highest] = this.range;
    return scores.map((score) => lowest + (highest - lowest) * score);
  }

  private headWeight(head: ParameterSet): Float64Array | Float32Array {
    return head.get('head.weight')?.values ?? this.readOut;
  }

  private logits(pooled: Float64Array, head: ParameterSet): Float64Array {
    const weight = this.headWeight(head);
    const bias = head.get('head.bias')?.values;
    return Float64Array.from({ length: this.classes }, (_, label) => {
      const start = label * this.width;
      return (
        dot(pooled, Float64Array.from(weight.subarray(start, start + this.width))) + (bias?.[label] ?? 0)
      );
    });
  }

  private join(rows: readonly Float64Array[]): Float32Array {
    return Float32Array.from(rows.flatMap((row) => [...row]));
  }
}

/** Order of the rows of [P; X] for candidate j of a plan: active prompt tokens around the input, inactive ones at the end. */
export function layout(plan: PromptPlan, row: number, candidate: number, length: number): readonly number[] {
  const { slots, gates } = plan;
  const isActive = (slot: number): boolean => gates === undefined || (gates[row * slots + slot] ?? 0) > 0;
  const all = Array.from({ length: slots }, (_, slot) => slot);
  const active = all.filter(isActive);
  const inactive = all.filter((slot) => !isActive(slot));
  const input = Array.from({ length }, (_, place) => slots + place);
  if (plan.position.mode === 'split') {
    return [...active.slice(0, candidate), ...input, ...active.slice(candidate), ...inactive];
  }
  const anchor = Math.round((candidate * length) / Math.max(1, plan.position.candidates - 1));
  return [...input.slice(0, anchor), ...active, ...input.slice(anchor), ...inactive];
}

function add(target: Float32Array | Float64Array | undefined, index: number, value: number): void {
  if (target !== undefined) target[index] = (target[index] ?? 0) + value;
}
