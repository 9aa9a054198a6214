import type { FineTuning, FineTuningStep, LabelledBatch, ParameterSet } from '@dynaprompt/core';

import type { ToyExample } from './toy-backbone.test.fixture.js';
import { crossEntropy, dot } from './toy-network.test.fixture.js';

/** A model of trainable token vectors: logits = head(mean of the vectors of an example's tokens). */
export class ToyFineTuning implements FineTuning<ToyExample> {
  released = false;

  /** @param table [vocabulary][d] */
  constructor(private readonly table: readonly Float64Array[]) {}

  initialWeights(): ParameterSet {
    const width = this.table[0]?.length ?? 0;
    const values = Float32Array.from(this.table.flatMap((row) => [...row]));
    return new Map([['table/rows', { shape: [this.table.length, width], values }]]);
  }

  predict(examples: readonly ToyExample[], weights: ParameterSet, head: ParameterSet): Promise<Float32Array> {
    return Promise.resolve(
      Float32Array.from(examples.flatMap((example) => [...logitsOf(meanOf(example, weights), head)])),
    );
  }

  differentiate(
    { examples, labels }: LabelledBatch<ToyExample>,
    weights: ParameterSet,
    head: ParameterSet,
  ): Promise<FineTuningStep> {
    const weight = head.get('head.weight')?.values ?? new Float32Array();
    const classes = head.get('head.bias')?.values.length ?? 0;
    const width = weight.length / classes;
    const rows = new Float32Array(this.table.length * width);
    const headWeight = new Float32Array(weight.length);
    const headBias = new Float32Array(classes);
    const logits: number[] = [];
    let loss = 0;
    examples.forEach((example, index) => {
      const mean = meanOf(example, weights);
      const scores = logitsOf(mean, head);
      const entropy = crossEntropy(scores, labels[index] ?? 0);
      loss += entropy.loss / examples.length;
      logits.push(...scores);
      entropy.gradient.forEach((value, label) => {
        const slope = value / examples.length;
        headBias[label] = (headBias[label] ?? 0) + slope;
        for (let column = 0; column < width; column++) {
          const at = label * width + column;
          headWeight[at] = (headWeight[at] ?? 0) + slope * (mean[column] ?? 0);
          for (const token of example) {
            const place = token * width + column;
            rows[place] = (rows[place] ?? 0) + (slope * (weight[at] ?? 0)) / example.length;
          }
        }
      });
    });
    return Promise.resolve({
      loss,
      logits: Float32Array.from(logits),
      weights: new Map([['table/rows', rows]]),
      head: new Map([
        ['head.weight', headWeight],
        ['head.bias', headBias],
      ]),
    });
  }

  release(): Promise<void> {
    this.released = true;
    return Promise.resolve();
  }
}

function meanOf(example: ToyExample, weights: ParameterSet): Float64Array {
  const { shape, values } = weights.get('table/rows') ?? { shape: [0, 0], values: new Float32Array() };
  const [, width = 0] = shape;
  return Float64Array.from({ length: width }, (_, column) => {
    return example.reduce((sum, token) => sum + (values[token * width + column] ?? 0), 0) / example.length;
  });
}

function logitsOf(mean: Float64Array, head: ParameterSet): Float64Array {
  const weight = head.get('head.weight')?.values ?? new Float32Array();
  const bias = head.get('head.bias')?.values ?? new Float32Array();
  return Float64Array.from(bias, (value, label) => {
    const row = weight.subarray(label * mean.length, (label + 1) * mean.length);
    return value + dot(mean, Float64Array.from(row));
  });
}
