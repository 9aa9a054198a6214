import { UnsupportedOperatorError } from '../errors.js';
import { attributes, Emitter, intAttribute, intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Attribute, GraphProto, Node } from '../graph/types.js';
import { knownRanks } from './ranks.js';

/** Oldest operator set that is read (transformers exports start at 11), and the one everything older is raised to. */
const OLDEST = 11;
const TARGET = 17;

/**
 * Raises a graph to operator set 17, so that every later pass writes one form. What changed between 11 and 17 for the
 * operators of transformers (onnx/docs/Changelog.md): at 13 axes became inputs (Squeeze, Unsqueeze, ReduceSum, Split) and
 * (Log)Softmax stopped flattening its input.
 * @throws UnsupportedOperatorError for operator sets before 11.
 */
export function raiseOpset(graph: Graph): void {
  if (graph.opset >= TARGET) return;
  if (graph.opset < OLDEST) {
    throw new UnsupportedOperatorError({
      subject: graph.source,
      problem: `operator set ${graph.opset} is older than ${OLDEST}`,
      remedy: 'Export the model again with opset 14 or later',
    });
  }
  if (graph.opset < 13) {
    const emitter = new Emitter(graph);
    const ranks = knownRanks(graph);
    for (const node of [...graph.nodes]) {
      const raised = raiseToThirteen(node, emitter, ranks);
      if (raised.length === 1 && raised[0] === node) continue;
      graph.remove(node);
      for (const replacement of raised) graph.add(replacement);
    }
  }
  graph.opsets.set('', TARGET);
}

const INPUT_FROM_ATTRIBUTE: Readonly<Record<string, string>> = {
  Squeeze: 'axes',
  Unsqueeze: 'axes',
  ReduceSum: 'axes',
  Split: 'split',
};

/** The nodes that replace a node; the node itself where nothing changed. Constants become initialisers of the main graph. */
function raiseToThirteen(node: Node, emitter: Emitter, ranks: ReadonlyMap<string, number>): readonly Node[] {
  const outer = raiseSubgraphs(node, emitter, ranks);
  const { opType, inputs } = outer;
  const inputFromAttribute = INPUT_FROM_ATTRIBUTE[opType];
  if (outer.domain !== '') return [outer];
  if (inputFromAttribute !== undefined) {
    const values = intsAttribute(outer, inputFromAttribute);
    if (!values) return [outer];
    const rest = new Map(outer.attributes);
    rest.delete(inputFromAttribute);
    return [{ ...outer, inputs: [...inputs, emitter.ints(...values)], attributes: rest }];
  }
  if (!['Softmax', 'LogSoftmax', 'Hardmax'].includes(opType)) return [outer];
  // The old form flattens to two dimensions at `axis`; over the last axis both forms agree, else flatten explicitly.
  const [input = ''] = inputs;
  const axis = intAttribute(outer, 'axis', 1);
  const rank = ranks.get(input);
  if (axis === -1 || (rank !== undefined && axis === rank - 1))
    return [{ ...outer, attributes: attributes({ axis: -1 }) }];
  const { graph } = emitter;
  const names = { flat: graph.fresh('flat'), result: graph.fresh(opType), shape: graph.fresh('shape') };
  const make = (type: string, from: readonly string[], to: string, at?: number): Node => ({
    name: graph.fresh(type),
    opType: type,
    domain: '',
    inputs: from,
    outputs: [to],
    attributes: attributes(at === undefined ? {} : { axis: at }),
  });
  return [
    make('Flatten', [input], names.flat, axis),
    make(opType, [names.flat], names.result, -1),
    make('Shape', [input], names.shape),
    { ...outer, opType: 'Reshape', inputs: [names.result, names.shape], attributes: new Map() },
  ];
}

/** Raises the bodies of control-flow nodes. */
function raiseSubgraphs(node: Node, emitter: Emitter, ranks: ReadonlyMap<string, number>): Node {
  const raise = (graph: GraphProto): GraphProto => ({
    ...graph,
    nodes: graph.nodes.flatMap((inner) => raiseToThirteen(inner, emitter, ranks)),
  });
  const raised = new Map<string, Attribute>();
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind === 'graph') raised.set(name, { kind: 'graph', value: raise(attribute.value) });
    if (attribute.kind === 'graphs') raised.set(name, { kind: 'graphs', value: attribute.value.map(raise) });
  }
  return raised.size === 0 ? node : { ...node, attributes: new Map([...node.attributes, ...raised]) };
}
