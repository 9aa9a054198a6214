import { activeTensors } from '../activity.js';
import { knownRanks } from '../canonicalise/ranks.js';
import { StructureNotFoundError } from '../errors.js';
import { intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import { attentionTo } from './attention-pattern.js';
import { refuseWindows } from './structure.js';

/**
 * Finds the inputs of a transformer's layers, [B, T, width] each, first layer first: the last tensor in front of a layer's
 * self-attention that everything from the embeddings to the last hidden state passes through. That is the normalised sum where
 * models normalise after each sum (BERT), the sum itself where they normalise before (GPT-2, ViT). Layers are counted by their
 * self-attention to the embeddings' rows; a decoder's attention to its encoder and a pooling head's do not count.
 * @param embeddings tensor [B, T, d] of the tokens.
 * @param hidden the last hidden state; layers behind it do not count.
 * @throws StructureNotFoundError if there is no self-attention between the two, or a layer also reads what layers before its
 * input have made (skip connections), attends within windows, or has rows before examples [T, B, d].
 */
export function findLayers(graph: Graph, embeddings: string, hidden: string): readonly string[] {
  const path = pathBetween(graph, embeddings, hidden);
  refuseWindows(graph, path.nodes);
  const ranks = knownRanks(graph);
  const cuts = cutTensors(path).filter((tensor) => (ranks.get(tensor) ?? 3) === 3);
  const layers = new Map<string, Node>();
  for (const { softmax, isSelf } of attentionTo(graph, embeddings)) {
    const place = path.order.get(softmax.outputs[0] ?? '');
    if (place === undefined || !isSelf) continue;
    const input = cuts.findLast((tensor) => placeOf(path, tensor) < place) ?? embeddings;
    const other = layers.get(input);
    // Attention side by side, such as a softmax for every head, is one layer.
    if (other && activeTensors(graph, other.outputs, [hidden]).has(softmax.inputs[0] ?? '')) {
      throw notFound(
        graph,
        `layer ${layers.size + 1} (node ${softmax.name}) reads more than the output of the layer before it`,
      );
    }
    layers.set(input, other ?? softmax);
  }
  const [first] = layers.keys();
  if (first === undefined) {
    throw notFound(graph, `there is no self-attention between ${embeddings} and ${hidden}`);
  }
  refuseRowsFirst(graph, path, first);
  return [...layers.keys()];
}

/** What is computed from one tensor and goes into another. */
interface Path {
  /** Nodes, each after what it reads. */
  readonly nodes: readonly Node[];
  /** Place of each tensor, the source's 0, each after those that it is computed from. */
  readonly order: ReadonlyMap<string, number>;
}

function pathBetween(graph: Graph, source: string, target: string): Path {
  const active = activeTensors(graph, [source], [target]);
  const needed = new Set(active.has(target) ? [target] : []);
  const nodes: Node[] = [];
  for (const node of [...graph.sortedNodes([target])].reverse()) {
    if (node.outputs.includes(source) || !node.outputs.some((output) => needed.has(output))) continue;
    for (const input of node.inputs) if (active.has(input)) needed.add(input);
    nodes.unshift(node);
  }
  const tensors = [source, ...nodes.flatMap(({ outputs }) => outputs.filter((output) => needed.has(output)))];
  return { nodes, order: new Map(tensors.map((tensor, place) => [tensor, place])) };
}

function placeOf({ order }: Path, tensor: string): number {
  return order.get(tensor) ?? -1;
}

/** Tensors that every way from source to target passes through: no node reads one before it and makes one after it. */
function cutTensors(path: Path): readonly string[] {
  const tensors = [...path.order.keys()];
  /** Farthest place of a tensor that is made from the one at this place. */
  const reach = tensors.map(() => 0);
  for (const { inputs, outputs } of path.nodes) {
    const farthest = Math.max(...outputs.map((output) => placeOf(path, output)));
    for (const input of inputs) {
      const place = placeOf(path, input);
      if (place >= 0) reach[place] = Math.max(reach[place] ?? 0, farthest);
    }
  }
  let farthest = 0;
  return tensors.filter((_, place) => {
    const isCut = farthest <= place;
    farthest = Math.max(farthest, reach[place] ?? 0);
    return isCut;
  });
}

/** Refuses a model that exchanges rows and examples on the way to its first layer, as PyTorch's own attention likes them. */
function refuseRowsFirst(graph: Graph, path: Path, first: string): void {
  const exchange = path.nodes.find(
    (node) =>
      node.opType === 'Transpose' &&
      intsAttribute(node, 'perm')?.[0] !== 0 &&
      placeOf(path, node.outputs[0] ?? '') <= placeOf(path, first),
  );
  if (exchange) throw notFound(graph, `its layers take rows before examples (node ${exchange.name})`);
}

function notFound(graph: Graph, problem: string): StructureNotFoundError {
  return new StructureNotFoundError({
    subject: graph.source,
    problem: `the inputs of its layers were not found: ${problem}`,
    remedy: 'Use prompts at the embeddings only, or name the tensors of the layers explicitly',
  });
}
