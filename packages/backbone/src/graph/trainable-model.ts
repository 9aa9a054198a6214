import {
  appendLossGradient,
  Emitter,
  feedWeights,
  findWeights,
  openSession,
  tieWeights,
  type Graph,
  type Session,
  type SessionOptions,
  type Tensor,
} from '@dynaprompt/onnx-autodiff';
import { gradientOutput, OUTPUT } from './names.js';
import { objectiveOf } from './objective.js';
import { declareOutputs } from './outputs.js';
import type { HeadGraph } from './prompted-model.js';

/** A model whose weights are inputs of its graphs, under their own names. */
export interface TrainableModel {
  /** The weights that the class logits depend on, in the file's order. */
  readonly weights: readonly Tensor[];
  /** Output `class_logits`. */
  openInference(options: SessionOptions): Promise<Session>;
  /** Outputs `loss`, `class_logits` and the gradient of every weight and of the head. */
  openTraining(options: SessionOptions): Promise<Session>;
}

/**
 * Makes the weights of a model trainable. Tied weights that the file holds twice are one.
 * @param graph is changed.
 * @param length of the sequences in probes, where a model has only one; default: any.
 * @throws UnsupportedOperatorError (of onnx-autodiff) if an operator between a weight and the logits has no gradient, and whatever
 * `head.append` throws.
 */
export function readTrainableModel(graph: Graph, head: HeadGraph, length?: number): TrainableModel {
  tieWeights(graph);
  const own = new Set(graph.initializers.keys());
  head.append(graph);
  declareOutputs(graph, [OUTPUT.logits]);
  const weights = findWeights(graph, OUTPUT.logits).filter(({ name }) => own.has(name));
  return {
    weights,
    openInference(options) {
      const inference = graph.clone();
      feedWeights(inference, weights);
      return openSession(inference, options);
    },
    async openTraining(options) {
      const training = graph.clone();
      const tensors = [...weights.map(({ name }) => name), ...head.tensors];
      const { loss, gradients } = await appendLossGradient(training, {
        withRespectTo: tensors,
        objective: objectiveOf(head),
        probeInputs: [head.probe(2, length ?? 7), head.probe(3, length ?? 11)],
      });
      const emit = new Emitter(training);
      emit.output(OUTPUT.loss, loss);
      for (const tensor of tensors) emit.output(gradientOutput(tensor), gradients.get(tensor));
      feedWeights(training, weights);
      return openSession(training, options);
    },
  };
}
