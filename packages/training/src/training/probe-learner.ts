import {
  ConfigurationError,
  type FrozenBackbone,
  type LabelledBatch,
  type ParameterSet,
  type ParameterTensor,
} from '@dynaprompt/core';

import type { FeatureCache } from '../features/features.js';
import { packageName } from '../package-name.js';
import type { Learner, LearnerStep, Prediction } from './learner.js';
import { type Readout, readoutOf } from './readout.js';

/** The frozen backbone with its linear head: softmax or linear regression on the cached `pooled` vectors. */
export class ProbeLearner<Example> implements Learner<Example> {
  readonly featureStatistics = undefined;
  readonly choiceSpace = undefined;
  readonly headParameters: ParameterSet;
  readonly parameters: ParameterSet;
  private readonly readout: Readout<Example>;
  private readonly layout: LinearHead;

  constructor(
    private readonly backbone: FrozenBackbone<Example>,
    private readonly features: FeatureCache<Example>,
    seed: number,
  ) {
    this.headParameters = backbone.initialHead(seed);
    this.parameters = this.headParameters;
    this.readout = readoutOf(backbone);
    this.layout = linearHead(this.headParameters, backbone.width, this.readout.outputs);
  }

  rateOf(): 'head' {
    return 'head';
  }

  async step(batch: LabelledBatch<Example>): Promise<LearnerStep> {
    const { width } = this.backbone;
    const { outputs } = this.readout;
    const { weight, bias, at } = this.layout;
    const pooled = await this.pooled(batch.examples);
    const { loss, gradient } = this.readout.loss(this.outputs(pooled), batch);
    const weightGradient = new Float32Array(weight.tensor.values.length);
    const biasGradient = new Float32Array(outputs);
    gradient.forEach((slope, index) => {
      const [row, output] = [Math.floor(index / outputs), index % outputs];
      biasGradient[output] = (biasGradient[output] ?? 0) + slope;
      for (let column = 0; column < width; column++) {
        const place = at(output, column);
        weightGradient[place] = (weightGradient[place] ?? 0) + slope * (pooled[row * width + column] ?? 0);
      }
    });
    const gradients = new Map([[weight.name, weightGradient]]);
    if (bias !== undefined) gradients.set(bias.name, biasGradient);
    return { loss, penalty: 0, gradients, temperature: undefined };
  }

  async predict(examples: readonly Example[]): Promise<Prediction> {
    const outputs = this.outputs(await this.pooled(examples));
    return { logits: this.readout.logits(outputs, examples), choices: undefined };
  }

  /** [R, d] what the head reads. */
  private pooled(examples: readonly Example[]): Promise<Float32Array> {
    return this.features.read('pooled', this.readout.inputsOf(examples));
  }

  /** [R, outputs] of the linear layer, from pooled vectors [R, d]. */
  private outputs(pooled: Float32Array): Float32Array {
    const { width } = this.backbone;
    const { outputs } = this.readout;
    const { weight, bias, at } = this.layout;
    return Float32Array.from({ length: (pooled.length / width) * outputs }, (_, index) => {
      const output = index % outputs;
      const start = Math.floor(index / outputs) * width;
      let sum = bias?.tensor.values[output] ?? 0;
      for (let column = 0; column < width; column++) {
        sum += (weight.tensor.values[at(output, column)] ?? 0) * (pooled[start + column] ?? 0);
      }
      return sum;
    });
  }
}

interface NamedTensor {
  readonly name: string;
  readonly tensor: ParameterTensor;
}

interface LinearHead {
  readonly weight: NamedTensor;
  readonly bias: NamedTensor | undefined;
  /** Place of a weight among the values of its tensor. */
  readonly at: (output: number, column: number) => number;
}

/** Finds weight, [outputs, d] or [d, outputs], and bias, [outputs], among the tensors of a head. */
function linearHead(head: ParameterSet, width: number, outputs: number): LinearHead {
  const tensors = [...head].map(([name, tensor]) => ({ name, tensor }));
  const ofShape = (...shape: readonly number[]): NamedTensor | undefined =>
    tensors.find(({ tensor }) => tensor.shape.join() === shape.join());
  const rows = ofShape(outputs, width);
  const weight = rows ?? ofShape(width, outputs);
  const bias = ofShape(outputs);
  if (weight === undefined || tensors.length !== (bias === undefined ? 1 : 2)) {
    throw new ConfigurationError({
      packageName,
      subject: `head (${tensors.map(({ name, tensor }) => `${name} [${tensor.shape.join(', ')}]`).join(', ')})`,
      problem: `it is not a linear map from ${width} features to ${outputs} outputs`,
      remedy: 'Leave out the methods frozen and linear-probe, or open the backbone with a linear head',
    });
  }
  const at =
    rows === undefined
      ? (output: number, column: number) => column * outputs + output
      : (output: number, column: number) => output * width + column;
  return { weight, bias, at };
}
