import { UnsupportedOperatorError } from '../errors.js';
import { Emitter, intAttribute, intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';

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
    for (const node of [...graph.nodes]) if (node.domain === '') raiseToThirteen(graph, emitter, node);
  }
  graph.opsets.set('', TARGET);
}

function raiseToThirteen(graph: Graph, emitter: Emitter, node: Node): void {
  const inputFromAttribute = { Squeeze: 'axes', Unsqueeze: 'axes', ReduceSum: 'axes', Split: 'split' }[
    node.opType
  ];
  if (inputFromAttribute !== undefined) {
    const values = intsAttribute(node, inputFromAttribute);
    if (!values) return;
    const rest = new Map(node.attributes);
    rest.delete(inputFromAttribute);
    graph.remove(node);
    graph.add({ ...node, inputs: [...node.inputs, emitter.ints(...values)], attributes: rest });
  } else if (
    ['Softmax', 'LogSoftmax', 'Hardmax'].includes(node.opType) &&
    intAttribute(node, 'axis', 1) !== -1
  ) {
    // The old form flattens to two dimensions at `axis`; over the last axis both forms agree, so flatten explicitly.
    const [input = ''] = node.inputs;
    const flat = emitter.op('Flatten', [input], { axis: intAttribute(node, 'axis', 1) });
    const result = emitter.op(node.opType, [flat], { axis: -1 });
    graph.remove(node);
    const shape = emitter.shape(input);
    graph.add({ ...node, opType: 'Reshape', inputs: [result, shape], attributes: new Map() });
  }
}
