import type { Graph } from '@dynaprompt/onnx-autodiff';

/** What makes logits of cosines: exp(scale) · cos + bias. */
export interface LogitScale {
  /** log of the factor, `logit_scale` of CLIP and SigLIP. */
  readonly scale: number;
  /** `logit_bias` of SigLIP; 0 for CLIP. */
  readonly bias: number;
}

/** Reads scale and bias off a graph with both towers; undefined where it has no logits, as a file with one tower. */
export function readLogitScale(graph: Graph): LogitScale | undefined {
  let tensor = ['logits_per_text', 'logits_per_image'].find((name) => graph.outputs.has(name));
  let bias = 0;
  for (let node = graph.producer(tensor ?? ''); node; node = graph.producer(tensor ?? '')) {
    const computed = node.inputs.find((input) => !graph.isConstant(input));
    const constant = node.inputs.find((input) => graph.isConstant(input));
    if (node.opType === 'Transpose' || node.opType === 'Identity') tensor = computed;
    else if (node.opType === 'Add') {
      bias += graph.scalar(constant) ?? 0;
      tensor = computed;
    } else if (node.opType === 'Mul') {
      const factor = factorOf(graph, node.inputs);
      return factor === undefined ? undefined : { scale: factor, bias };
    } else return undefined;
  }
  return undefined;
}

/** log of the operand that is a number, or its exponent. */
function factorOf(graph: Graph, operands: readonly string[]): number | undefined {
  for (const operand of operands) {
    const value = graph.scalar(operand);
    if (value !== undefined) return Math.log(value);
    const producer = graph.producer(operand);
    const exponent = producer?.opType === 'Exp' ? graph.scalar(producer.inputs[0]) : undefined;
    if (exponent !== undefined) return exponent;
  }
  return undefined;
}
