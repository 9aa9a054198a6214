import { floatAttribute, intAttribute } from '../graph/emitter.js';
import type { AttributeValue } from '../graph/emitter.js';
import type { Attribute } from '../graph/types.js';
import { fusedActivation } from './activation.js';
import { stringAttribute, type Decomposition, type DecompositionContext } from './decomposition.js';

/** The node's attributes but for those of the activation. */
function withoutActivation({ node }: DecompositionContext): Record<string, AttributeValue> {
  const values: Record<string, AttributeValue> = {};
  for (const [name, attribute] of node.attributes) {
    const value = plainValue(attribute);
    if (!name.startsWith('activation') && value !== undefined) values[name] = value;
  }
  return values;
}

function plainValue(attribute: Attribute): AttributeValue | undefined {
  if (attribute.kind === 'float') return { float: attribute.value };
  return attribute.kind === 'int' || attribute.kind === 'ints' || attribute.kind === 'string'
    ? attribute.value
    : undefined;
}

/**
 * FusedMatMul with its batch axes transposed (onnxruntime/docs/ContribOperators.md): a [M, B₁, …, K] is read as
 * [B₁, …, M, K] before anything else.
 */
const fusedMatMul: Decomposition = (context) => {
  const { node, x, emit, ranks } = context;
  const flags = [intAttribute(node, 'transBatchA', 0) !== 0, intAttribute(node, 'transBatchB', 0) !== 0];
  if (node.opType === 'FusedMatMul' && !flags.includes(true)) return undefined;
  const operandRanks = x.map((tensor) => ranks.get(tensor));
  if (flags.some((isFlagged, index) => isFlagged && operandRanks[index] === undefined))
    throw context.unsupported('the rank of a batch to transpose is not known');
  const [a = '', b = ''] = x.map((tensor, index) => {
    const rank = operandRanks[index] ?? 0;
    if (flags[index] !== true || rank < 3) return tensor;
    const batch = Array.from({ length: rank - 2 }, (_, axis) => axis + 1);
    return emit.transpose(tensor, [...batch, 0, rank - 1]);
  });
  const flag = (name: string): 0 | 1 => (intAttribute(node, name, 0) === 0 ? 0 : 1);
  return [emit.fusedMatMul(a, b, flag('transA'), flag('transB'), floatAttribute(node, 'alpha', 1))];
};

/** Products with something fused onto them. */
export const productDecompositions = {
  'com.microsoft.FusedMatMul': fusedMatMul,
  // The name it had before
  'com.microsoft.TransposeMatMul': fusedMatMul,
  // activation(α · op(a) op(b) + β · c)
  'com.microsoft.FusedGemm': (context) => {
    const { node, x, emit } = context;
    const activate = fusedActivation(context, stringAttribute(node, 'activation', ''));
    const parameters = ['activation_alpha', 'activation_beta'].flatMap((name) => {
      const value = node.attributes.get(name);
      return value?.kind === 'float' ? [value.value] : [];
    });
    return [activate(emit.op('Gemm', x, withoutActivation(context)), parameters)];
  },
  // activation(conv(x, w, b) + z)
  'com.microsoft.FusedConv': (context) => {
    const { node, x, emit } = context;
    const activate = fusedActivation(context, stringAttribute(node, 'activation', ''));
    const parameters = node.attributes.get('activation_params');
    const sum = x[3] ?? '';
    const convolved = emit.op('Conv', x.slice(0, (x[2] ?? '') === '' ? 2 : 3), withoutActivation(context));
    const total = sum === '' ? convolved : emit.add(convolved, sum);
    return [activate(total, parameters?.kind === 'floats' ? parameters.value : [])];
  },
} as const satisfies Record<string, Decomposition>;
