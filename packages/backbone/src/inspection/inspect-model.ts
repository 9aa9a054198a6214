import { DataType, Graph, int64, prepareGraph, type ValueInfo } from '@dynaprompt/onnx-autodiff';
import { countParameters } from '../graph/stored-weights.js';
import { architectureOf, type Architecture } from './architecture.js';
import { guessFamily } from './family.js';
import { missingGradients, type MissingGradient } from './missing-gradients.js';
import { findModelFiles } from './model-files.js';
import { searchPlaces, type PlaceSearch } from './places.js';
import type { PromptEntryPlace } from './prompt-entry.js';
import { storageOf, typeName, type WeightStorage } from './storage.js';

/** An input or output as the file declares it. */
export interface InspectedValue {
  readonly name: string;
  readonly dtype: string;
  /** Extents, or the names of those that vary; undefined where the file says nothing. */
  readonly dims: readonly (number | string | undefined)[] | undefined;
}

/** What an ONNX file is, and what prompts can do with it. */
export interface ModelInspection extends WeightStorage {
  readonly file: string;
  /** `model_type`, or a guess. */
  readonly family: string | undefined;
  /** What tells the family. */
  readonly familyFrom: 'config.json' | 'names' | undefined;
  /** What inputs and outputs tell, whatever the family. */
  readonly architecture: Architecture;
  /** Version of the standard operator set. */
  readonly opset: number;
  readonly inputs: readonly InspectedValue[];
  readonly outputs: readonly InspectedValue[];
  readonly parameters: number;
  /** Where prompts enter; undefined where nothing was found. */
  readonly entry: PromptEntryPlace | undefined;
  /** Tensor [B, T, d] of the last hidden state. */
  readonly hidden: string | undefined;
  /** Self-attention to the rows of the entry. */
  readonly attentionLayers: number;
  /** Inputs of the layers that can take prompts, the entry's first. */
  readonly layers: readonly string[];
  /** Operators between entry and hidden state (or outputs) that a gradient cannot pass through. */
  readonly withoutGradient: readonly MissingGradient[];
  readonly isTunable: boolean;
  /** Package whose adapter takes the model, or `new-adapter` for one of its own; undefined where it cannot be tuned. */
  readonly adapter: string | undefined;
  /** Why it cannot be tuned, or not in all ways; one sentence each. */
  readonly reasons: readonly string[];
}

/** Families by the package whose adapter takes them; of several the last. */
export type AdapterFamilies = Readonly<Record<string, readonly string[]>>;

/**
 * Reads what an ONNX file says about itself; its weights are not read.
 * @param location an .onnx file, or a backbone folder.
 * @param adapters that there are; a family that none of them takes needs an adapter of its own.
 * @throws ModelError if there is no such file or no model in the folder.
 * @throws MalformedModelError (of onnx-autodiff) if the file is truncated, a git-lfs pointer or no model.
 */
export function inspectModel(location: string, adapters: AdapterFamilies = {}): ModelInspection {
  const { model, family: named } = findModelFiles(location);
  const original = Graph.read(model);
  const graph = prepareGraph(model, branchOf(original));
  const guess = named === undefined ? guessFamily(original) : { family: named, from: 'config.json' as const };
  const { reasons: missed, ...places } = searchPlaces(graph);
  const { entry, hidden } = places;
  const withoutGradient = missingGradients(
    graph,
    entry ? [entry.tensor] : [...graph.inputs.keys()],
    hidden === undefined ? [...graph.outputs.keys()] : [hidden],
  );
  const obstacles = [
    ...(hidden === undefined ? missed : []),
    ...withoutGradient.map(({ operator, count }) => `no gradient passes through ${count} × ${operator}`),
    ...(entry ? rigidity(graph, places) : []),
  ];
  const isTunable = entry !== undefined && obstacles.length === 0;
  return {
    file: model,
    family: guess.family,
    familyFrom: guess.from,
    architecture: architectureOf(original, entry),
    opset: original.opset,
    inputs: [...original.inputs.values()].map(valueOf),
    outputs: [...original.outputs.values()].map(valueOf),
    parameters: countParameters(graph),
    ...storageOf(original, model),
    ...places,
    withoutGradient,
    isTunable,
    adapter: isTunable ? adapterFor(guess.family, adapters) : undefined,
    reasons: [...new Set([...obstacles, ...missed])],
  };
}

/** What of a model with an entry leaves prompts no room, or makes them of no use. */
function rigidity(graph: Graph, { entry, hidden, attentionLayers }: Omit<PlaceSearch, 'reasons'>): string[] {
  if (!entry) return [];
  const [batch, rows] = graph.inputs.get(entry.input)?.dims ?? [];
  return [
    ...(graph.inputs.has('encoder_hidden_states')
      ? ['it is the decoder of an encoder-decoder, whose encoder takes the prompts']
      : []),
    ...(typeof batch === 'number' ? [`it takes batches of ${batch} alone`] : []),
    ...(entry.kind === 'tokens' && typeof rows === 'number'
      ? [`it takes ${rows} tokens exactly, which leaves no room for prompts`]
      : []),
    ...(hidden !== undefined && attentionLayers === 0
      ? [`nothing attends to the rows of ${entry.tensor}, so prompts cannot be gated`]
      : []),
  ];
}

/** Of a merged decoder the branch without a cache. */
function branchOf({ inputs }: Graph): Parameters<typeof prepareGraph>[1] {
  const kept = inputs.get('num_logits_to_keep');
  return {
    ...(inputs.has('use_cache_branch') ? { use_cache_branch: false } : {}),
    ...(kept ? { num_logits_to_keep: int64([0], kept.dims?.length === 1 ? [1] : []) } : {}),
  };
}

function adapterFor(family: string | undefined, adapters: AdapterFamilies): string {
  const found = Object.entries(adapters).findLast(([, families]) => families.includes(family ?? ''));
  return found?.[0] ?? 'new-adapter';
}

function valueOf({ name, dataType, dims }: ValueInfo): InspectedValue {
  return { name, dtype: typeName(dataType === 0 ? DataType.float32 : dataType), dims };
}
