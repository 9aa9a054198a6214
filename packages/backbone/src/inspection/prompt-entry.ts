import {
  DataType,
  findPatchEmbedding,
  findTokenEmbedding,
  StructureNotFoundError,
  type Graph,
  type Node,
  type ValueInfo,
} from '@dynaprompt/onnx-autodiff';

/** Where prompts can enter a model. */
export interface PromptEntryPlace {
  /**
   * `tokens` are looked up, `values` (of a time series, of a sound) projected, any number of them; `patches` are as many in every
   * example: cut out of pictures, or steps of a series of one length.
   */
  readonly kind: 'tokens' | 'patches' | 'values';
  /** Graph input that the rows come from. */
  readonly input: string;
  /** Tensor [B, rows, d] that prompts can be put between. */
  readonly tensor: string;
  /** d */
  readonly width: number;
  /** Entries of the table of `tokens`. */
  readonly vocabulary?: number;
  /** Values of each row of `values`. */
  readonly channels?: number;
  /** Rows in front of `patches`: class token, registers. */
  readonly special?: number;
  /** Whether `patches` get position embeddings that a prompt among them can have too. */
  readonly hasPositions?: boolean;
}

/** What was found, or why nothing was. */
export type EntrySearch =
  | { readonly entry: PromptEntryPlace; readonly reason?: never }
  | { readonly entry?: never; readonly reason: string };

const FLOATS: ReadonlySet<number> = new Set([DataType.float32, DataType.float16, DataType.float64]);
/** Operators between values and their projection that keep one row for each. */
const KEEPS_ROWS: ReadonlySet<string> = new Set(['Cast', 'Identity', 'Mul', 'Div', 'Add', 'Sub', 'Where']);

/** Finds where rows enter a prepared graph: by its usual inputs first, then by all others. */
export function findPromptEntry(graph: Graph): EntrySearch {
  const inputs = [...graph.inputs.values()];
  const reasons: string[] = [];
  const attempts: readonly (() => PromptEntryPlace | undefined)[] = [
    ...byName(inputs, 'input_ids', isIndex).map((input) => () => tokenEntry(graph, input.name)),
    ...byName(inputs, 'pixel_values', isPicture).map((input) => () => patchEntry(graph, input.name)),
    // A sequence of one length has positions of its own, as patches have.
    ...inputs
      .filter((input) => isSequence(input) && typeof input.dims?.[1] === 'number')
      .map((input) => () => patchEntry(graph, input.name)),
    ...inputs.filter(isSequence).map((input) => () => valueEntry(graph, input.name)),
  ];
  for (const attempt of attempts) {
    try {
      const entry = attempt();
      if (entry) return { entry };
    } catch (failure) {
      if (!(failure instanceof StructureNotFoundError)) throw failure;
      reasons.push(failure.problem);
    }
  }
  const names = inputs.map(({ name }) => name).join(', ');
  return { reason: reasons[0] ?? `no input (${names}) is looked up, cut into patches or projected` };
}

/** Inputs of a kind, the one with the usual name first. */
function byName(
  inputs: readonly ValueInfo[],
  usual: string,
  isOfKind: (input: ValueInfo) => boolean,
): readonly ValueInfo[] {
  const fitting = inputs.filter(isOfKind);
  return [...fitting.filter(({ name }) => name === usual), ...fitting.filter(({ name }) => name !== usual)];
}

function isIndex({ dataType, dims }: ValueInfo): boolean {
  return (dataType === DataType.int64 || dataType === DataType.int32) && (dims?.length ?? 2) === 2;
}

function isPicture({ dataType, dims }: ValueInfo): boolean {
  return FLOATS.has(dataType) && (dims?.length ?? 4) === 4;
}

function isSequence({ dataType, dims }: ValueInfo): boolean {
  return FLOATS.has(dataType) && dims?.length === 3;
}

function tokenEntry(graph: Graph, input: string): PromptEntryPlace {
  const { tensor, width, vocabulary } = findTokenEmbedding(graph, input);
  return { kind: 'tokens', input, tensor, width, vocabulary };
}

function patchEntry(graph: Graph, input: string): PromptEntryPlace {
  const { tensor, width, special, positions } = findPatchEmbedding(graph, input);
  return { kind: 'patches', input, tensor, width, special, hasPositions: positions !== undefined };
}

/** The product of a sequence [B, T, channels] with a constant [channels, d], its bias included. */
function valueEntry(graph: Graph, input: string): PromptEntryPlace | undefined {
  const tensors = new Set([input]);
  for (const tensor of tensors) {
    for (const node of graph.consumers(tensor)) {
      const weight = graph.initializers.get(node.inputs[1] ?? '')?.dims;
      if (node.opType === 'MatMul' && node.inputs[0] === tensor && weight?.length === 2) {
        const [channels = 0, width = 0] = weight;
        return { kind: 'values', input, tensor: withBias(graph, node), width, channels };
      }
      if (KEEPS_ROWS.has(node.opType)) for (const output of node.outputs) tensors.add(output);
    }
  }
  return undefined;
}

/** The sum of a product and its bias [d], where it has one; else the product. */
function withBias(graph: Graph, product: Node): string {
  const [output = ''] = product.outputs;
  const readers = graph.consumers(output);
  const [sum] = readers;
  const isBias =
    readers.length === 1 &&
    sum?.opType === 'Add' &&
    sum.inputs.some((input) => graph.initializers.get(input)?.dims.length === 1);
  return isBias ? (sum.outputs[0] ?? output) : output;
}
