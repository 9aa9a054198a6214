import { ModelError } from '@dynaprompt/core';
import {
  attentionTo,
  findLastHiddenState,
  findLayers,
  StructureNotFoundError,
  type Graph,
} from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from '../package-name.js';
import { findPromptEntry, type PromptEntryPlace } from './prompt-entry.js';

/** Tensors of a model that prompts and heads need. */
export interface PromptPlaces {
  readonly entry: PromptEntryPlace;
  /** [B, rows, d] last hidden state, as wide as the rows of the entry or not. */
  readonly hidden: string;
  /** Inputs of the layers that can take prompts, the entry's tensor first; it alone where layers cannot be told apart. */
  readonly layers: readonly string[];
}

/** What was found of {@link PromptPlaces}, and why not more. */
export interface PlaceSearch {
  readonly entry: PromptEntryPlace | undefined;
  readonly hidden: string | undefined;
  readonly layers: readonly string[];
  /** Self-attention to the rows of the entry. */
  readonly attentionLayers: number;
  /** One sentence each. */
  readonly reasons: readonly string[];
}

/** Looks for the places of a prepared graph. */
export function searchPlaces(graph: Graph): PlaceSearch {
  const { entry, reason } = findPromptEntry(graph);
  if (!entry) return { entry, hidden: undefined, layers: [], attentionLayers: 0, reasons: [reason] };
  const rows = entry.tensor;
  const attentionLayers = attentionTo(graph, rows).filter(({ isSelf }) => isSelf).length;
  const hidden = attempt(() => findLastHiddenState(graph, rows));
  const state = hidden.found;
  const layers = state === undefined ? {} : attempt(() => findLayers(graph, rows, state));
  return {
    entry,
    hidden: state,
    layers: state === undefined ? [] : (layers.found ?? [rows]),
    attentionLayers,
    reasons: [hidden.reason, layers.reason].filter((said) => said !== undefined),
  };
}

/**
 * The places of a prepared graph, for adapters.
 * @throws ModelError saying why there are none.
 */
export function findPromptPlaces(graph: Graph): PromptPlaces {
  const { entry, hidden, layers, reasons } = searchPlaces(graph);
  if (entry && hidden !== undefined) return { entry, hidden, layers };
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: graph.source,
    problem: reasons[0] ?? 'prompts find no place in it',
    remedy: 'Name the tensors in the adapter, or use another export',
  });
}

interface Attempt<T> {
  readonly found?: T;
  readonly reason?: string;
}

function attempt<T>(find: () => T): Attempt<T> {
  try {
    return { found: find() };
  } catch (failure) {
    if (failure instanceof StructureNotFoundError) return { reason: failure.problem };
    throw failure;
  }
}
