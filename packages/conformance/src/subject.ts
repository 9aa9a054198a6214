import {
  ConfigurationError,
  sizeOf,
  stream,
  type BackboneStep,
  type FrozenBackbone,
  type GradientRequest,
  type LabelledBatch,
  type ParameterSet,
  type PromptPlan,
} from '@dynaprompt/core';
import { ConformanceError } from './error.js';
import { crossEntropy, norm, squaredError } from './numbers.js';
import type { Capabilities, ConformanceOptions, Tolerances } from './options.js';
import { PACKAGE_NAME } from './package-name.js';

/** Parts of a plan that a check cares for. */
export interface PlanParts {
  /** Prompts [B, l, d] in place of the subject's. */
  readonly prompts?: Float32Array;
  /** [B, l] */
  readonly gates?: readonly number[];
  /** Default `split`. */
  readonly mode?: 'split' | 'insert';
  readonly candidates?: number;
  /** [B]; default: candidate 1 for all. */
  readonly choice?: readonly number[];
  /** [B, D, l, d] */
  readonly deep?: Float32Array;
}

/** A backbone under test with a batch, prompts and a head for it. */
export interface Subject<Example> {
  readonly name: string;
  readonly options: ConformanceOptions<Example>;
  readonly backbone: FrozenBackbone<Example>;
  readonly batch: LabelledBatch<Example>;
  readonly capabilities: Required<Capabilities>;
  readonly tolerances: Required<Tolerances>;
  /** l */
  readonly slots: number;
  /** [B, l, d] rows that the backbone gives, a little moved. */
  readonly prompts: Float32Array;
  /** [B, D, l, d] for all layers behind the first; empty where there are none. */
  readonly deep: Float32Array;
  /** A head whose logits are of the size of 1, so that gradients stand out of the rounding. */
  readonly head: ParameterSet;
  /** A plan for the batch. */
  readonly plan: (parts?: PlanParts) => PromptPlan;
  /** Logits of the batch, [B, classes]. */
  readonly predict: (plan?: PromptPlan, head?: ParameterSet) => Promise<Float32Array>;
  /** Loss and gradients of the batch; those of position and gates where they are asked for. */
  readonly step: (plan: PromptPlan, request?: Partial<GradientRequest>) => Promise<BackboneStep>;
  /** Loss by its definition in double precision, from the logits of the batch. */
  readonly lossOf: (logits: Float32Array) => number;
  /** [count] draws from N(0, 1), the same for the same name. */
  readonly normals: (name: string, count: number) => Float32Array;
  /** An error that names the backbone and what was called. */
  readonly broken: (call: string, problem: string, contract: string, cause?: unknown) => ConformanceError;
}

/**
 * Opens a backbone and makes what checks need.
 * @throws ConfigurationError if there are too few examples, slots or labels.
 */
export async function openSubject<Example>(options: ConformanceOptions<Example>): Promise<Subject<Example>> {
  const { name, examples, labels, slots = 4, seed = 1, capabilities = {}, tolerances = {} } = options;
  checkOptions(options, slots);
  const backbone = await options.open();
  const { width, range } = backbone;
  const normals = (draw: string, count: number): Float32Array => {
    const random = stream(seed, `conformance ${draw}`);
    return new Float32Array(count).map(() => random.normal());
  };
  const rows = async (draw: string, count: number, offset: number): Promise<Float32Array> => {
    if (count === 0) return new Float32Array();
    const given = await backbone.promptRows(count, offset);
    const size = norm(given) / Math.sqrt(given.length) || 1;
    const noise = normals(draw, count * width);
    return noise.map((value, index) => (given[index] ?? 0) + 0.1 * size * value);
  };
  const count = examples.length * slots;
  const layers = capabilities.layers ?? backbone.description.layers;
  const prompts = await rows('prompts', count, 0);
  const deep = await rows('deep prompts', count * Math.max(0, backbone.description.layers - 1), count);
  const batch: LabelledBatch<Example> = {
    examples,
    labels: range ? new Int32Array(examples.length) : Int32Array.from(labels),
    ...(range ? { targets: Float32Array.from(labels) } : {}),
  };
  const head = movedHead(backbone.initialHead(seed), width, normals);
  return {
    name,
    options,
    backbone,
    batch,
    capabilities: {
      layers,
      position: capabilities.position ?? true,
      gates: capabilities.gates ?? true,
      fineTuning: capabilities.fineTuning ?? backbone.fineTuning !== undefined,
    },
    tolerances: { logits: 1e-5, gradients: 0.01, ...tolerances },
    slots,
    prompts,
    deep,
    head,
    plan: ({
      prompts: given = prompts,
      gates,
      mode = 'split',
      candidates = slots + 1,
      choice,
      deep,
    } = {}) => ({
      batch: examples.length,
      slots,
      width,
      prompts: given,
      position: { mode, candidates, choice: Int32Array.from(choice ?? examples.map(() => 1)) },
      gates: gates && Float32Array.from(gates),
      ...(deep && { deep: { layers: deep.length / given.length, prompts: deep } }),
    }),
    predict: (plan, given = head) => backbone.predict(examples, plan, given),
    step: (plan, request) =>
      backbone.differentiate(batch, plan, head, { position: false, gates: false, ...request }),
    lossOf: (logits) => (range ? squaredError(logits, labels, range) : crossEntropy(logits, labels)),
    normals,
    broken: (call, problem, contract, cause) =>
      new ConformanceError({
        subject: `${name}, ${call}`,
        problem,
        contract,
        ...(cause === undefined ? {} : { cause }),
      }),
  };
}

/** Adds N(0, 1/d) to every tensor. */
function movedHead(initial: ParameterSet, width: number, normals: Subject<never>['normals']): ParameterSet {
  return new Map(
    [...initial].map(([name, { shape, values }]) => {
      const noise = normals(`head ${name}`, sizeOf(shape));
      return [
        name,
        { shape, values: noise.map((value, index) => (values[index] ?? 0) + value / Math.sqrt(width)) },
      ] as const;
    }),
  );
}

function checkOptions<Example>({ name, examples, labels }: ConformanceOptions<Example>, slots: number): void {
  const fail = (problem: string, remedy: string): never => {
    throw new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: `checks of ${name}`,
      problem,
      remedy,
    });
  };
  if (examples.length < 2) fail(`there are ${examples.length} examples`, 'Give at least two that differ');
  if (labels.length !== examples.length)
    fail(`there are ${labels.length} labels for ${examples.length} examples`, 'Give one for each example');
  if (!Number.isInteger(slots) || slots < 2)
    fail(`${slots} is no number of slots to check with`, 'Give a whole number from 2 on');
}
