import { availableParallelism } from 'node:os';
import {
  selectBackend,
  type FrozenBackbone,
  type ParameterSet,
  type PresetName,
  type PromptPlan,
} from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder, type TextExample } from '@dynaprompt/text';
import { backboneAround } from './bare-model.js';
import { readMemory } from './memory.js';
import { machine, measureInTurn, round, summarise, type Timing } from './measure.js';
import { startReference, type Peer } from './peer.js';
import { trainingStep, type StepParts, type StepSetting, type TimedStep } from './training-step.js';

export interface DynamicOptions {
  /** Backbone folder; the bundled one by default. */
  readonly backbone?: string;
  /** ONNX file of a BERT encoder in place of a folder. */
  readonly model?: string;
  readonly batch: number;
  /** Tokens of every example, framing included, prompt not. */
  readonly tokens: number;
  readonly slots: number;
  readonly rounds: number;
  /** Arithmetic of the backbone's large products; the reference's stays fp32. */
  readonly compute?: 'fp32' | 'int8';
  /** Takes the step of the published implementation in PyTorch, interleaved. The backbone has to be of BERT-base's size. */
  readonly reference?: boolean;
  /** Times each factor by itself too. */
  readonly factors?: boolean;
}

/** Factors of the dynamic prompt, each by itself. */
const FACTORS = {
  position: 'adap_ins_pos',
  length: 'adap_ins_length',
  pool: 'adap_ins_vec',
} as const satisfies Record<string, PresetName>;

const WARM_UP = 2;

/**
 * Times training steps of a fixed and of a dynamic prompt of the same number of slots, and predictions with prompts that are
 * physically shortened; with `reference` the published implementation's step in the same rounds.
 * @throws Error if the backbone's tokeniser does not give the wanted length, or the backbone is not the reference's.
 */
export async function benchDynamic(options: DynamicOptions): Promise<unknown> {
  const temporary =
    options.model === undefined ? undefined : backboneAround(options.model, options.tokens + options.slots);
  try {
    const { slots } = options;
    const head = { kind: 'linear', classes: 2 } as const;
    const folder = temporary?.folder ?? options.backbone ?? miniBert;
    const compute = options.compute === 'int8' ? 'int8' : 'float32';
    const backbone = await createTextEncoder(folder, { head, reserve: slots, compute });
    try {
      return await benchBackbone(backbone, options);
    } finally {
      await backbone.release();
    }
  } finally {
    temporary?.remove();
  }
}

async function benchBackbone(
  backbone: FrozenBackbone<TextExample>,
  options: DynamicOptions,
): Promise<unknown> {
  const backend = await selectBackend();
  const { batch, tokens, slots, rounds } = options;
  const { name, parameters } = backbone.description;
  const setting = await settingOf(backbone, options);
  const steps = {
    fixed: await trainingStep('fixed', setting),
    dynamic: await trainingStep('dynamic', setting),
  };
  const factors: Record<string, TimedStep> = {};
  for (const [factor, own] of Object.entries(options.factors === true ? FACTORS : {}))
    factors[factor] = await trainingStep(own, setting);
  const reference = options.reference === true ? referenceFor(backbone, options) : undefined;
  const lengths = [...new Set([slots, slots / 2, slots / 4, 0].map(Math.floor))];

  const variants = {
    ...runsOf(steps),
    ...runsOf(factors),
    ...predictions(setting, lengths),
    ...(reference && { reference: () => reference.run('step') }),
  };
  let timings: Record<string, Timing>;
  let torch: number | undefined;
  try {
    timings = await measureInTurn<string>(variants, rounds, WARM_UP);
    torch = await reference?.memory();
  } finally {
    await reference?.close();
  }
  const ratio = (one: string, other: string, of: keyof Timing = 'median'): number =>
    round((timings[one]?.[of] ?? Number.NaN) / (timings[other]?.[of] ?? Number.NaN));
  return {
    benchmark: 'dynamic',
    backbone: name,
    parameters,
    tfjs: backend.name,
    compute: options.compute ?? 'fp32',
    shape: { batch, tokens, slots, width: backbone.width },
    milliseconds: Object.fromEntries(
      ['fixed', 'dynamic', ...Object.keys(factors), ...(reference ? ['reference'] : [])].map((variant) => [
        variant,
        timings[variant],
      ]),
    ),
    parts: Object.fromEntries(
      Object.entries({ ...steps, ...factors }).map(([variant, step]) => [variant, mediansOf(step.history)]),
    ),
    ratios: {
      dynamicToFixed: ratio('dynamic', 'fixed'),
      dynamicToFixedMinimum: ratio('dynamic', 'fixed', 'minimum'),
      ...(reference && { dynamicToReference: ratio('dynamic', 'reference') }),
    },
    lengths: lengths.map((active) => ({
      active,
      milliseconds: timings[predictionName(active)],
      toFull: ratio(predictionName(active), predictionName(slots)),
    })),
    // Of all sessions that the steps and predictions have opened.
    ...(process.platform === 'linux' && { megabytes: readMemory() }),
    machine: { ...machine(), ...(torch === undefined ? {} : { torchPeakMegabytes: torch }) },
  };
}

/** Examples of `tokens` tokens each, and their features. */
async function settingOf(
  backbone: FrozenBackbone<TextExample>,
  { batch, tokens, slots }: DynamicOptions,
): Promise<StepSetting<TextExample>> {
  const framing = backbone.lengthOf({ text: '' });
  const examples = Array.from({ length: batch }, (_, index) => ({
    text: Array.from({ length: tokens - framing }, (_, word) => (index + word) % 10).join(' '),
  }));
  const [length] = examples.map((example) => backbone.lengthOf(example));
  if (length !== tokens) {
    const { name, maximumTokens } = backbone.description;
    throw new Error(
      `${name}: an example has ${length} tokens, not ${tokens}; choose --tokens of at most ${maximumTokens - slots}.`,
    );
  }
  const labels = Int32Array.from({ length: batch }, (_, index) => index % 2);
  return { backbone, batch: { examples, labels }, features: await backbone.features(examples), slots };
}

/** @throws Error if the backbone is not of the size that the reference is built in. */
function referenceFor(
  { width, description }: FrozenBackbone<TextExample>,
  { batch, tokens, slots }: DynamicOptions,
): Peer {
  if (width !== 768 || description.parameters < 100e6) {
    throw new Error(`${description.name}: the reference is BERT-base; give an export of it with --model.`);
  }
  return startReference({ batch, sequence: tokens, prompt: slots }, availableParallelism());
}

function runsOf(steps: Readonly<Record<string, TimedStep>>): Record<string, () => Promise<void>> {
  return Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, () => step.run()]));
}

function predictionName(active: number): string {
  return `predict ${active}`;
}

/** Predictions with the first rows of a prompt switched on. */
function predictions(
  { backbone, batch: { examples }, slots }: StepSetting<TextExample>,
  lengths: readonly number[],
): Record<string, () => Promise<unknown>> {
  const batch = examples.length;
  const head: ParameterSet = backbone.initialHead(1);
  const plan = (active: number): PromptPlan => ({
    batch,
    slots,
    width: backbone.width,
    prompts: Float32Array.from(
      { length: batch * slots * backbone.width },
      (_, index) => Math.sin(index) / 10,
    ),
    position: { mode: 'split', candidates: slots + 1, choice: new Int32Array(batch).fill(slots) },
    gates: Float32Array.from({ length: batch * slots }, (_, index) => (index % slots < active ? 1 : 0)),
  });
  return Object.fromEntries(
    lengths.map((active) => {
      const planned = plan(active);
      return [predictionName(active), () => backbone.predict(examples, planned, head)];
    }),
  );
}

function mediansOf(history: readonly StepParts[]): Record<keyof StepParts, number> {
  const counted = history.slice(WARM_UP);
  const median = (part: keyof StepParts): number => summarise(counted.map((parts) => parts[part])).median;
  return {
    plan: median('plan'),
    backbone: median('backbone'),
    networks: median('networks'),
    optimiser: median('optimiser'),
  };
}
