import { declareOutputs, probeFloats } from '@dynaprompt/backbone';
import {
  Emitter,
  lowerToInt8,
  openSession,
  type Session,
  type SessionOptions,
} from '@dynaprompt/onnx-autodiff';
import { promptImages, promptText, type PromptedTower, type TowerVariant } from '../graph/prompted-tower.js';
import type { ScoreHead } from '../graph/scores.js';
import { stepGraph } from '../graph/step-graph.js';
import { EMBEDDING } from '../towers/names.js';
import type { DualParts } from './dual-parts.js';
import type { DualOptions } from './options.js';
import { probesOf } from './probes.js';

/** What is run in a step. */
export interface StepVariant {
  /** Towers with prompts. */
  readonly text: TowerVariant | undefined;
  readonly vision: TowerVariant | undefined;
  /** Where the embeddings of a tower without prompts come from. */
  readonly others: { readonly text: 'fed' | 'absent'; readonly vision: 'fed' | 'absent' };
  readonly head: ScoreHead;
  readonly position: boolean;
}

/** A session of one tower that gives its {@link EMBEDDING}. */
export function openTower({ options }: DualParts, { graph, output }: PromptedTower): Promise<Session> {
  new Emitter(graph).alias(output, EMBEDDING);
  graph.outputs.clear();
  declareOutputs(graph, [EMBEDDING]);
  if (options.compute === 'int8') lowerToInt8(graph);
  return openSession(graph, sessionOptions(options));
}

/** A session of a training step. */
export async function openStep(
  parts: DualParts,
  variant: StepVariant,
  headTensors: readonly string[],
): Promise<Session> {
  const { options, source } = parts;
  const graph = await stepGraph(
    {
      text: variant.text && promptText(parts.text, variant.text),
      vision: variant.vision && promptImages(parts.vision, variant.vision, source),
      others: variant.others,
      head: variant.head,
      headTensors,
      position: variant.position,
    },
    {
      probeInputs: probesOf(parts, variant, probeFloats),
      compute: options.compute ?? 'float32',
      ...(options.isolated === undefined ? {} : { isolated: options.isolated }),
    },
  );
  return openSession(graph, sessionOptions(options));
}

function sessionOptions(options: DualOptions): SessionOptions {
  const { threads, isolated, executionProviders, providerFallback, warn } = options;
  const all = { threads, isolated, executionProviders, providerFallback, warn };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
