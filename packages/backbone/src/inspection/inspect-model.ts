import {
  attentionTo,
  DataType,
  findLastHiddenState,
  findLayers,
  Graph,
  int64,
  prepareGraph,
  StructureNotFoundError,
  type ValueInfo,
} from '@dynaprompt/onnx-autodiff';
import { countParameters } from '../graph/stored-weights.js';
import { guessFamily } from './family.js';
import { missingGradients, type MissingGradient } from './missing-gradients.js';
import { findModelFiles } from './model-files.js';
import { findPromptEntry, type PromptEntryPlace } from './prompt-entry.js';
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

/** Families by the package whose adapter takes them. */
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
  const { entry, reason } = findPromptEntry(graph);
  const places = entry ? placesBehind(graph, entry.tensor) : NO_PLACES;
  const withoutGradient = missingGradients(
    graph,
    entry ? [entry.tensor] : [...graph.inputs.keys()],
    places.hidden === undefined ? [...graph.outputs.keys()] : [places.hidden],
  );
  const missing = withoutGradient.map(({ operator, count }) => `${count} × ${operator}`).join(', ');
  const reasons = [
    ...(reason === undefined ? [] : [reason]),
    ...places.reasons,
    ...(missing === '' ? [] : [`no gradient passes through ${missing}`]),
  ];
  const isTunable = entry !== undefined && places.hidden !== undefined && withoutGradient.length === 0;
  return {
    file: model,
    family: guess.family,
    familyFrom: guess.from,
    opset: original.opset,
    inputs: [...original.inputs.values()].map(valueOf),
    outputs: [...original.outputs.values()].map(valueOf),
    parameters: countParameters(graph),
    ...storageOf(original, model),
    entry,
    ...places,
    withoutGradient,
    isTunable,
    adapter: isTunable ? adapterFor(guess.family, adapters) : undefined,
    reasons,
  };
}

const NO_PLACES = { hidden: undefined, layers: [], attentionLayers: 0, reasons: [] };

interface Places {
  readonly hidden: string | undefined;
  readonly layers: readonly string[];
  readonly attentionLayers: number;
  readonly reasons: readonly string[];
}

/** Layers and hidden state behind the rows. */
function placesBehind(graph: Graph, rows: string): Places {
  const attentionLayers = attentionTo(graph, rows).filter(({ isSelf }) => isSelf).length;
  const found = { attentionLayers, layers: [rows] };
  try {
    const hidden = findLastHiddenState(graph, rows);
    try {
      return { ...found, hidden, layers: findLayers(graph, rows, hidden), reasons: [] };
    } catch (failure) {
      return { ...found, hidden, reasons: [problemOf(failure)] };
    }
  } catch (failure) {
    return { ...found, hidden: undefined, layers: [], reasons: [problemOf(failure)] };
  }
}

function problemOf(failure: unknown): string {
  if (failure instanceof StructureNotFoundError) return failure.problem;
  throw failure;
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
  const found = Object.entries(adapters).find(([, families]) => families.includes(family ?? ''));
  return found?.[0] ?? 'new-adapter';
}

function valueOf({ name, dataType, dims }: ValueInfo): InspectedValue {
  return { name, dtype: typeName(dataType === 0 ? DataType.float32 : dataType), dims };
}
