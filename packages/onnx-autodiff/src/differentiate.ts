import { fixInput, type ConstantInput } from './canonicalise/branches.js';
import { fuse, normalise } from './canonicalise/index.js';
import { InvalidInputError } from './errors.js';
import { appendGradient, gradientShapes, type Seed } from './gradient.js';
import { Emitter } from './graph/emitter.js';
import { Graph } from './graph/graph.js';
import { DataType } from './graph/types.js';
import { crossEntropy, meanSquaredError } from './loss.js';
import { lowerToInt8, type Int8Options } from './lower/int8.js';
import { fixReshapes } from './lower/fixed-reshapes.js';
import { selectRowsEarly } from './lower/select-rows.js';
import type { ExecutionProvider } from './session/execution-providers.js';
import type { ProbeInputs } from './session/probe.js';
import type { ProbedShapes } from './session/probed-shapes.js';
import { openSession, type SessionOptions } from './session/session.js';
import { floatsOf, type TensorValue } from './session/tensor-value.js';

/** Which scalar is differentiated. */
export type Objective =
  /** Mean cross-entropy of the output [..., classes] against a new int64 input `labels` [...]; −100 is left out. */
  | { readonly kind: 'cross-entropy'; readonly output: string }
  /** Mean over all elements of (output − target)², with a new float32 input `targets` of the output's shape. */
  | { readonly kind: 'mean-squared-error'; readonly output: string }
  /** Σ output · upstream, with a new float32 input `upstream` of the output's shape: a vector-Jacobian product. */
  | { readonly kind: 'vector-jacobian'; readonly output: string };

export interface DifferentiateOptions extends SessionOptions, ArithmeticOptions {
  /** Inputs of the graph, or tensors inside it, to differentiate with respect to. */
  readonly withRespectTo: readonly string[];
  readonly objective: Objective;
  /** Two small examples of different extents, where the declared inputs do not say enough to make them up. */
  readonly probeInputs?: ProbeInputs;
  /** Inputs that are the same in every run, such as the choice of a branch (see {@link prepareGraph}). */
  readonly constants?: Readonly<Record<string, ConstantInput>>;
}

/** Answer of {@link GradientSession.run}. */
export interface GradientResult {
  /** The loss; absent for a vector-Jacobian product. */
  readonly loss: number | undefined;
  /** The model's own outputs, by name. */
  readonly outputs: Readonly<Record<string, TensorValue>>;
  /** Gradients by the names of `withRespectTo`, each of its tensor's shape. */
  readonly gradients: Readonly<Record<string, TensorValue>>;
}

/** A model that computes its outputs, a loss and gradients in one run. */
export interface GradientSession {
  /** What it runs on; see `Session`. */
  readonly provider: ExecutionProvider;
  /**
   * Outputs, loss and gradients for these inputs.
   * @throws InvalidInputError if names, types or shapes do not fit the graph.
   * @throws RuntimeFailureError if onnxruntime fails.
   */
  run(feeds: Readonly<Record<string, TensorValue>>): Promise<GradientResult>;
  /** Frees what the session holds; no run may follow. */
  release(): Promise<void>;
}

/** How the products of a model and of its gradient are computed. */
export interface ArithmeticOptions {
  /**
   * `float32` by default. `int8` computes products with large constant matrices in int8, forward and backward: about a third of
   * the time on processors with VNNI or AMX, for a gradient at a cosine of 0.99 to the exact one.
   */
  readonly compute?: 'float32' | 'int8';
  readonly int8?: Int8Options;
}

/** What to append to a graph, and whether the runs that find shapes are in a process of their own. */
export interface LossGradientRequest extends ArithmeticOptions, Pick<SessionOptions, 'isolated'> {
  readonly withRespectTo: readonly string[];
  readonly objective: Objective;
  readonly probeInputs?: ProbeInputs;
}

/** Tensors that {@link appendLossGradient} made. */
export interface LossGradient {
  /** float32 scalar; undefined for a vector-Jacobian product. */
  readonly loss: string | undefined;
  /** Gradient tensor by differentiated tensor. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Shapes on the way of the gradient, for what is done with it next. */
  readonly shapes: ProbedShapes;
}

/**
 * Reads a model and brings it to the form that graph surgery and differentiation work on. Weights stay in the file.
 * @param model path or bytes of a model, or a graph that was just read, which is changed.
 * @param constants inputs that are the same in every run: `{ use_cache_branch: false }` for merged decoders.
 * @param variables weights that a gradient will be taken of; single numbers among them are otherwise computed with.
 * @throws InvalidInputError if the graph has no such input, or one of another type.
 */
export function prepareGraph(
  model: string | Uint8Array | Graph,
  constants: Readonly<Record<string, ConstantInput>> = {},
  variables: readonly string[] = [],
): Graph {
  const graph = model instanceof Graph ? model : Graph.read(model);
  for (const [input, value] of Object.entries(constants)) fixInput(graph, input, value);
  normalise(graph, variables);
  fuse(graph);
  return graph;
}

/**
 * Appends an objective and its gradients to a prepared graph; declares no outputs.
 * @throws UnsupportedOperatorError if an operator on the way has no rule.
 * @throws InvalidInputError if a named tensor is not in the graph.
 */
export async function appendLossGradient(graph: Graph, request: LossGradientRequest): Promise<LossGradient> {
  const { objective, withRespectTo } = request;
  for (const tensor of [...withRespectTo, objective.output]) {
    if (!graph.has(tensor)) {
      throw new InvalidInputError({
        subject: `${graph.source}, tensor ${tensor}`,
        problem: 'the graph has no such tensor',
        remedy: `Its inputs are ${[...graph.inputs.keys()].join(', ')}, its outputs ${[...graph.outputs.keys()].join(', ')}`,
      });
    }
  }
  const shapes = await gradientShapes(graph, withRespectTo, [objective.output], request.probeInputs, request);
  fixReshapes(graph, shapes);
  selectRowsEarly(graph, shapes);
  const forward = new Set(graph.nodes);
  const { loss, seed } = appendObjective(graph, objective, shapes.rank(objective.output));
  const gradients = appendGradient(graph, [seed], withRespectTo, shapes);
  if (request.compute === 'int8') lowerToInt8(graph, (node) => forward.has(node), request.int8);
  return { loss, gradients, shapes };
}

function appendObjective(
  graph: Graph,
  objective: Objective,
  rank: number,
): { loss: string | undefined; seed: Seed } {
  const emit = new Emitter(graph);
  const dims = (count: number): string[] =>
    Array.from({ length: count }, (_, axis) => `${objective.kind}.${axis}`);
  if (objective.kind === 'vector-jacobian') {
    const gradient = emit.input({ name: 'upstream', dataType: DataType.float32, dims: dims(rank) });
    return { loss: undefined, seed: { tensor: objective.output, gradient } };
  }
  if (objective.kind === 'mean-squared-error') {
    const targets = emit.input({ name: 'targets', dataType: DataType.float32, dims: dims(rank) });
    return meanSquaredError(emit, objective.output, targets);
  }
  const labels = emit.input({ name: 'labels', dataType: DataType.int64, dims: dims(rank - 1) });
  return crossEntropy(emit, objective.output, labels);
}

/**
 * Loads a model so that one run gives its outputs, a loss and the gradients.
 * @param model path of an .onnx file (operator set 11 or later), or its bytes.
 * @throws MalformedModelError, UnsupportedOperatorError, InvalidInputError, RuntimeFailureError
 */
export async function differentiate(
  model: string | Uint8Array,
  options: DifferentiateOptions,
): Promise<GradientSession> {
  if (options.compute === 'int8' && options.widenWeights === 'at-use') {
    throw new InvalidInputError({
      subject: 'options compute and widenWeights',
      problem:
        'weights for int8 are made once, at load, and weights that are widened at use are made in every run',
      remedy: "Leave out one of compute: 'int8' and widenWeights: 'at-use'",
    });
  }
  const graph = prepareGraph(model, options.constants, options.withRespectTo);
  const outputs = [...graph.outputs.keys()];
  const { loss, gradients } = await appendLossGradient(graph, options);
  const emit = new Emitter(graph);
  if (loss !== undefined) emit.output('loss', loss);
  const names = new Map(
    [...gradients].map(([source, tensor]) => [source, { output: `${source}.gradient`, tensor }]),
  );
  for (const { output, tensor } of names.values()) emit.output(output, tensor);
  const session = await openSession(graph, options);
  return {
    provider: session.provider,
    async run(feeds) {
      const results = await session.run(feeds);
      const pick = (entries: Iterable<readonly [string, string]>): Record<string, TensorValue> =>
        Object.fromEntries(
          [...entries].flatMap(([name, output]) => {
            const value = results[output];
            return value ? [[name, value] as const] : [];
          }),
        );
      return {
        loss: loss === undefined ? undefined : floatsOf(results.loss)[0],
        outputs: pick(outputs.map((name) => [name, name])),
        gradients: pick([...names].map(([source, { output }]) => [source, output] as const)),
      };
    },
    release: () => session.release(),
  };
}
