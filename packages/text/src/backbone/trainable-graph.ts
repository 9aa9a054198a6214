import {
  appendLossGradient,
  Emitter,
  feedWeights,
  findWeights,
  openSession,
  tieWeights,
  type Session,
  type SessionOptions,
  type Tensor,
} from '@dynaprompt/onnx-autodiff';
import { appendHead, declareOutputs, headTensors, probeFeeds } from './head-graph.js';
import type { Head } from './head.js';
import { gradientOutput, OUTPUT } from './names.js';
import type { TextModel } from './text-model.js';

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
 * @param model its graph is changed.
 * @throws ModelError if a verbaliser finds no language head.
 * @throws UnsupportedOperatorError (of onnx-autodiff) if an operator between a weight and the logits has no gradient.
 */
export function readTrainableModel(model: TextModel, head: Head): TrainableModel {
  const { graph } = model;
  // The head's inputs are no inputs of the model.
  const probed = { ...model, graph: graph.clone() };
  tieWeights(graph);
  const own = new Set(graph.initializers.keys());
  appendHead(graph, model, head);
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
      const tensors = [...weights.map(({ name }) => name), ...headTensors(head)];
      const { loss, gradients } = await appendLossGradient(training, {
        withRespectTo: tensors,
        objective: { kind: 'cross-entropy', output: OUTPUT.logits },
        probeInputs: [probeFeeds(probed, head, 2, 7), probeFeeds(probed, head, 3, 11)],
      });
      const emit = new Emitter(training);
      emit.output(OUTPUT.loss, loss);
      for (const tensor of tensors) emit.output(gradientOutput(tensor), gradients.get(tensor));
      feedWeights(training, weights);
      return openSession(training, options);
    },
  };
}
