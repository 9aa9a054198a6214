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
import { softmaxCrossEntropy } from './softmax-cross-entropy.js';

/** The frozen backbone with its linear head: softmax regression on the cached `pooled` vectors. */
export class ProbeLearner<Example> implements Learner<Example> {
  readonly featureStatistics = undefined;
  readonly choiceSpace = undefined;
  readonly headParameters: ParameterSet;
  readonly parameters: ParameterSet;
  private readonly layout: LinearHead;

  constructor(
    private readonly backbone: FrozenBackbone<Example>,
    private readonly features: FeatureCache<Example>,
    seed: number,
  ) {
    this.headParameters = backbone.initialHead(seed);
    this.parameters = this.headParameters;
    this.layout = linearHead(this.headParameters, backbone);
  }

  rateOf(): 'head' {
    return 'head';
  }

  async step({ examples, labels }: LabelledBatch<Example>): Promise<LearnerStep> {
    const { width, classes } = this.backbone;
    const { weight, bias, at } = this.layout;
    const pooled = await this.features.read('pooled', examples);
    const { loss, gradient } = softmaxCrossEntropy(this.logits(pooled), labels, classes);
    const weightGradient = new Float32Array(weight.tensor.values.length);
    const biasGradient = new Float32Array(classes);
    for (let row = 0; row < labels.length; row++) {
      for (let label = 0; label < classes; label++) {
        const slope = gradient[row * classes + label] ?? 0;
        biasGradient[label] = (biasGradient[label] ?? 0) + slope;
        for (let column = 0; column < width; column++) {
          const place = at(label, column);
          weightGradient[place] = (weightGradient[place] ?? 0) + slope * (pooled[row * width + column] ?? 0);
        }
      }
    }
    const gradients = new Map([[weight.name, weightGradient]]);
    if (bias !== undefined) gradients.set(bias.name, biasGradient);
    return { loss, penalty: 0, gradients, temperature: undefined };
  }

  async predict(examples: readonly Example[]): Promise<Prediction> {
    return { logits: this.logits(await this.features.read('pooled', examples)), choices: undefined };
  }

  /** [B, classes] from pooled vectors [B, d]. */
  private logits(pooled: Float32Array): Float32Array {
    const { width, classes } = this.backbone;
    const { weight, bias, at } = this.layout;
    const logits = new Float32Array((pooled.length / width) * classes);
    for (let index = 0; index < logits.length; index++) {
      const label = index % classes;
      const start = Math.floor(index / classes) * width;
      let sum = bias?.tensor.values[label] ?? 0;
      for (let column = 0; column < width; column++) {
        sum += (weight.tensor.values[at(label, column)] ?? 0) * (pooled[start + column] ?? 0);
      }
      logits[index] = sum;
    }
    return logits;
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
  readonly at: (label: number, column: number) => number;
}

/** Finds weight, [classes, d] or [d, classes], and bias, [classes], among the tensors of a head. */
function linearHead(
  head: ParameterSet,
  backbone: { readonly width: number; readonly classes: number },
): LinearHead {
  const { width, classes } = backbone;
  const tensors = [...head].map(([name, tensor]) => ({ name, tensor }));
  const ofShape = (...shape: readonly number[]): NamedTensor | undefined =>
    tensors.find(({ tensor }) => tensor.shape.join() === shape.join());
  const rows = ofShape(classes, width);
  const weight = rows ?? ofShape(width, classes);
  const bias = ofShape(classes);
  if (weight === undefined || tensors.length !== (bias === undefined ? 1 : 2)) {
    throw new ConfigurationError({
      packageName,
      subject: `head (${tensors.map(({ name, tensor }) => `${name} [${tensor.shape.join(', ')}]`).join(', ')})`,
      problem: `it is not a linear map from ${width} features to ${classes} classes`,
      remedy: 'Leave out the methods frozen and linear-probe, or open the backbone with a linear head',
    });
  }
  const at =
    rows === undefined
      ? (label: number, column: number) => column * classes + label
      : (label: number, column: number) => label * width + column;
  return { weight, bias, at };
}
