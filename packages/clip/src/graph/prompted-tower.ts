import {
  addKeyBias,
  addSlotPositions,
  injectDeepPrompts,
  injectPrompts,
  type Graph,
  type PromptInjection,
  type SlotPositions,
} from '@dynaprompt/onnx-autodiff';
import { weighRows, type VisionTower } from '../towers/vision-tower.js';
import type { TextTower } from '../towers/text-tower.js';
import { placeSource, type VisionSource } from './vision-source.js';

/** What prompts need of a tower's graph. */
export interface TowerVariant {
  /** D, layers behind the first that take prompts of their own. */
  readonly deep: number;
  /** Attention takes `key_bias`. */
  readonly gates: boolean;
}

/** A tower with room for prompts. */
export interface PromptedTower {
  readonly graph: Graph;
  /** [rows, D] */
  readonly output: string;
  readonly injection: PromptInjection;
  /** D inputs of layers behind the first [rows, T, d], prompts in place. */
  readonly deep: readonly string[];
  readonly gates: boolean;
  /** What slots give to prompts; undefined where positions are added afterwards (text). */
  readonly slots: SlotPositions | undefined;
  /** Where the prompts of an image tower come from; undefined for a text tower. */
  readonly source: VisionSource | undefined;
}

/** Makes room for prompts in a copy of a text tower. */
export function promptText(tower: TextTower, { deep, gates }: TowerVariant): PromptedTower {
  const graph = tower.graph.clone();
  const { output, width } = tower;
  const injection = injectPrompts(graph, tower.embeddings, width);
  const layers = inject(graph, injection, tower, deep);
  if (gates) addKeyBias(graph, injection.embeddings, tower.isCausal);
  return { graph, output, injection, deep: layers, gates, slots: undefined, source: undefined };
}

/** Makes room for prompts in a copy of an image tower; each takes the position embedding of the slot that it stands in. */
export function promptImages(
  tower: VisionTower,
  { deep, gates }: TowerVariant,
  source: VisionSource,
): PromptedTower {
  const graph = tower.graph.clone();
  const { output, width, patches } = tower;
  const bare = injectPrompts(graph, patches.tensor, width);
  const layers = inject(graph, bare, tower, deep);
  const injection = { ...bare, prompts: placeSource(graph, source, deep + 1) };
  const slots = patches.positions === undefined ? undefined : addSlotPositions(graph, injection, patches);
  weighRows(graph, tower);
  if (gates) addKeyBias(graph, injection.embeddings);
  return { graph, output, injection, deep: layers, gates, slots, source };
}

function inject(
  graph: Graph,
  injection: PromptInjection,
  { layers, width }: Pick<TextTower, 'layers' | 'width'>,
  deep: number,
): readonly string[] {
  const behind = layers.slice(1, deep + 1);
  return behind.length === 0 ? [] : injectDeepPrompts(graph, injection, behind, width).embeddings;
}
