import {
  appendLossGradient,
  Emitter,
  float32,
  floatsOf,
  gatherPromptGradient,
  int64,
  openSession,
  prepareGraph,
  type Graph,
  type ProbeInputs,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { defaultDescription, readCaseFile, type CaseDescription, type Reference } from './case-file.js';
import { injectInto, type Injection } from './injection.js';

/** How far a case is from its reference; the largest error of its sets of inputs. */
export interface GradientCheck {
  readonly case: string;
  /** Loss of the first set. */
  readonly loss: number;
  readonly lossError: number;
  /** Largest absolute difference. */
  readonly logitsError: number;
  /** ‖ours − reference‖ / ‖reference‖ */
  readonly gradientError: number;
  readonly passed: boolean;
}

export const LOSS_TOLERANCE = 1e-6;
export const GRADIENT_TOLERANCE = 1e-5;

/**
 * Checks a case folder: `model.onnx` and `case.safetensors` with the model's inputs, `prompt_embeddings` [B, P, d], `labels`,
 * and the reference `logits`, `loss` and `prompt_gradient` [B, P, d]. In text models the first P positions of `input_ids` are
 * placeholders whose embeddings the prompts replace; in vision models the prompts are inserted after the first token. What
 * differs is in the file's metadata ({@link CaseDescription}).
 */
export async function checkCase(folder: string): Promise<GradientCheck> {
  const { model, description: described, references } = readCaseFile(folder);
  const graph = prepareGraph(model, described?.conditions);
  const description =
    described ?? defaultDescription(graph.inputs.has('input_ids') ? 'input_ids' : 'pixel_values');
  const [first] = references;
  if (!first) throw new Error(`${folder}: the case has no reference; make it again.`);
  const opened = await openCase(graph, description, first);
  try {
    const checks: GradientCheck[] = [];
    for (const reference of references) checks.push(compare(folder, reference, await opened.run(reference)));
    return worst(checks);
  } finally {
    await opened.release();
  }
}

export interface Answer {
  readonly loss: number;
  readonly output: Float32Array;
  /** By the name of the reference's tensor. */
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

/** Appends objective and gradients to a graph as a case's description says, and loads it. */
export async function openCase(
  graph: Graph,
  description: CaseDescription,
  example: Reference,
): Promise<{ run(reference: Reference): Promise<Answer>; release(): Promise<void> }> {
  const { objective, output, inject, gradientOf } = description;
  const inputs = [...graph.inputs.values()];
  const injections = inject.map((source) => {
    const suffix = inject.length > 1 ? `.${source}` : '';
    const [, , width = 0] = example.tensor(`prompt_embeddings${suffix}`).dims;
    return injectInto(graph, source, description, width);
  });
  const sources = gradientOf === undefined ? injections.map(({ embeddings }) => embeddings) : [gradientOf];
  const { loss, gradients, shapes } = await appendLossGradient(graph, {
    withRespectTo: sources,
    objective: { kind: objective, output },
    probeInputs: probeInputs(inputs, example, injections),
  });
  const emit = new Emitter(graph);
  if (loss !== undefined) emit.output('loss', loss);
  for (const { embeddings, suffix } of injections) {
    const { gradient } = gatherPromptGradient(emit, gradients.get(embeddings) ?? '', suffix, shapes);
    emit.output(`prompt_gradient${suffix}`, gradient);
  }
  if (gradientOf !== undefined) emit.output('gradient', gradients.get(gradientOf) ?? '');
  // Cases are small: more threads only wait for each other.
  const session = await openSession(graph, { threads: 1 });
  return {
    release: () => session.release(),
    async run(reference) {
      const feeds = Object.fromEntries(inputs.map(({ name }) => [name, reference.tensor(name)]));
      const target = loss === undefined ? 'upstream' : 'labels';
      const prompts = Object.assign(
        {},
        ...injections.map((injection) => injection.feeds(reference)),
      ) as object;
      const results = await session.run({ ...feeds, ...prompts, [target]: reference.tensor(target) });
      const names =
        gradientOf === undefined ? injections.map(({ suffix }) => `prompt_gradient${suffix}`) : ['gradient'];
      const values = floatsOf(results[output]);
      return {
        loss:
          loss === undefined
            ? innerProduct(values, floatsOf(reference.tensor('upstream')))
            : (floatsOf(results.loss)[0] ?? Number.NaN),
        output: values,
        gradients: Object.fromEntries(names.map((name) => [name, floatsOf(results[name])])),
      };
    },
  };
}

/**
 * Two small inputs like the case's own: other batch sizes, and other lengths where a dimension's symbol says that it is a
 * sequence. Images keep their size.
 */
function probeInputs(
  inputs: readonly {
    readonly name: string;
    readonly dims: readonly (number | string | undefined)[] | undefined;
  }[],
  example: Reference,
  injections: readonly Injection[],
): ProbeInputs {
  const make = (batch: number, prompt: number, sequence: number): Record<string, TensorValue> => {
    const feeds = inputs.map(({ name, dims: declared }) => {
      const own = example.tensor(name);
      const dims = own.dims.map((extent, axis) => {
        const symbol = String(declared?.[axis] ?? '');
        if (symbol.includes('batch')) return batch;
        return symbol.includes('sequence') && symbol !== 'past_sequence_length' ? sequence : extent;
      });
      const size = dims.reduce((product, extent) => product * extent, 1);
      const value =
        own.type === 'int64'
          ? int64(new Int32Array(size).fill(1), dims)
          : float32(new Float32Array(size).fill(0.5), dims);
      return [name, value] as const;
    });
    const prompts = injections.map((injection) => injection.probe(batch, sequence, prompt));
    return Object.assign(Object.fromEntries(feeds), ...prompts) as Record<string, TensorValue>;
  };
  return [make(2, 3, 7), make(3, 4, 11)];
}

function compare(folder: string, reference: Reference, actual: Answer): GradientCheck {
  const expectedLoss = floatsOf(reference.tensor('loss'))[0] ?? Number.NaN;
  const lossError = Math.abs(actual.loss - expectedLoss);
  const gradientError = Math.max(
    ...Object.entries(actual.gradients).map(([name, gradient]) =>
      relativeError(gradient, floatsOf(reference.tensor(name))),
    ),
  );
  return {
    case: folder,
    loss: actual.loss,
    lossError,
    logitsError: largestDifference(actual.output, floatsOf(reference.tensor('logits'))),
    gradientError,
    passed:
      lossError <= LOSS_TOLERANCE * Math.max(1, Math.abs(expectedLoss)) && gradientError < GRADIENT_TOLERANCE,
  };
}

function worst(checks: readonly GradientCheck[]): GradientCheck {
  const largest = (field: 'lossError' | 'logitsError' | 'gradientError'): number =>
    Math.max(...checks.map((check) => check[field]));
  return {
    case: checks[0]?.case ?? '',
    loss: checks[0]?.loss ?? Number.NaN,
    lossError: largest('lossError'),
    logitsError: largest('logitsError'),
    gradientError: largest('gradientError'),
    passed: checks.every((check) => check.passed),
  };
}

function innerProduct(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? Number.NaN), 0);
}

export function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let norm = 0;
  expected.forEach((value, index) => {
    difference += ((actual[index] ?? Number.NaN) - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}

export function largestDifference(actual: Float32Array, expected: Float32Array): number {
  return expected.reduce(
    (most, value, index) => Math.max(most, Math.abs((actual[index] ?? Number.NaN) - value)),
    0,
  );
}
