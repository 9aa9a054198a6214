import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  activeTokens,
  appendLinearHead,
  arrangeSequences,
  fingerprint,
  floatInput,
  frozenBackbone,
  initialLinearHead,
  LINEAR_HEAD_TENSORS,
  logGate,
  OUTPUT,
  probeFloats,
  PROMPT_INPUT,
  promptFeeds,
  readPromptedModel,
} from '@dynaprompt/backbone';
import { nullThrows, PADDING, type FrozenBackbone } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import {
  Emitter,
  findLastHiddenState,
  findLayers,
  findTokenEmbedding,
  float32,
  int64,
  prepareGraph,
  tensorValues,
  type Graph,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';

/** Token ids, framing tokens left out. */
export interface TokenExample {
  readonly id?: string;
  readonly ids: readonly number[];
}

/** Files of BERT encoders. */
export const FILES = {
  small: fileURLToPath(new URL('../../../onnx-autodiff/fixtures/bert-14/model.onnx', import.meta.url)),
  'mini-bert': join(miniBert, 'onnx/model.onnx'),
} as const;

/** Examples of several lengths, all of whose ids every vocabulary has. */
export const EXAMPLES: readonly TokenExample[] = [
  { id: 'long', ids: [7, 21, 40, 9, 33, 12] },
  { id: 'short', ids: [50, 8] },
  { id: 'other', ids: [13, 44, 27] },
];
export const LABELS = [1, 0, 2];

const MOST_SLOTS = 6;

/** What the tests can change of the backbone. */
export interface TokenOptions {
  readonly file?: keyof typeof FILES;
  /** Prompts for the first layer alone. */
  readonly isShallow?: boolean;
}

/** A BERT encoder without a tokeniser: a small adapter on `@dynaprompt/backbone`. */
export function openTokens({ file = 'small', isShallow = false }: TokenOptions = {}): Promise<
  FrozenBackbone<TokenExample>
> {
  const path = FILES[file];
  const graph = prepareGraph(path);
  const { tensor: embeddings, width, table, vocabulary } = findTokenEmbedding(graph);
  const hidden = findLastHiddenState(graph, embeddings);
  const rows = tableOf(graph, table);
  const inputs = [...graph.inputs.keys()];
  const integers = (...dims: readonly [number, number]): Record<string, TensorValue> =>
    Object.fromEntries(
      inputs.map((name) => [name, int64(new Int32Array(dims[0] * dims[1]).fill(1), dims)] as const),
    );
  const model = readPromptedModel({
    graph,
    embeddings,
    width,
    layers: isShallow ? [embeddings] : findLayers(graph, embeddings, hidden),
    head: {
      tensors: LINEAR_HEAD_TENSORS,
      append(prompted) {
        const emit = new Emitter(prompted);
        const weights = floatInput(emit, 'row_weights', 'batch', 'length');
        const mean = emit.op('MatMul', [emit.unsqueeze(weights, [1]), hidden]); // [B, 1, T] · [B, T, d]
        emit.alias(emit.squeeze(mean, [1]), OUTPUT.pooled);
        emit.alias(appendLinearHead(emit, 3, width), OUTPUT.logits);
        prompted.outputs.clear();
      },
      probe: (batch, total) => ({
        ...integers(batch, total),
        row_weights: probeFloats(batch, total),
        'head.weight': probeFloats(3, width),
        'head.bias': probeFloats(3),
      }),
    },
  });
  const backbone = frozenBackbone<TokenExample>({
    description: { name: file, family: 'bert', revision: fingerprint(path), maximumTokens: 32 },
    model,
    classes: 3,
    maximumSlots: MOST_SLOTS,
    options: { threads: 1 },
    initialHead: (seed) => initialLinearHead(3, width, seed),
    arrange(examples, plan, purpose) {
      const isSoft = purpose === 'training' && plan?.gates !== undefined;
      const own = examples.map(({ ids }) => ({ before: 1, content: ids.length, after: 1 }));
      const arranged = arrangeSequences(own, plan, isSoft ? 'soft' : 'hard');
      const { tables, shape } = arranged;
      const { slots, total } = shape;
      const dims = [examples.length, total];
      const active = activeTokens(plan, examples.length);
      const [ids, mask, order] = [0, 1, 2].map(() => new Int32Array(tables.length)) as [
        Int32Array,
        Int32Array,
        Int32Array,
      ];
      const [bias, weights] = [new Float32Array(tables.length), new Float32Array(tables.length)];
      tables.forEach((source, place) => {
        const example = Math.floor(place / total);
        const isPrompt = source !== PADDING && source < slots;
        order[place] = isPrompt ? source : slots + (place % total);
        if (source === PADDING) return;
        const words = examples[example]?.ids ?? [];
        mask[place] = !isPrompt || isSoft || source < (active[example] ?? 0) ? 1 : 0;
        if (isPrompt) {
          if (isSoft) bias[place] = logGate(plan, example, source);
          return;
        }
        ids[place] = [2, ...words, 3][source - slots] ?? 0;
        // Features are a mean, the head reads the first token.
        weights[place] = purpose === 'features' ? 1 / (words.length + 2) : source === slots ? 1 : 0;
      });
      const given: Record<string, TensorValue> = {
        input_ids: int64(ids, dims),
        attention_mask: int64(mask, dims),
        token_type_ids: int64(new Int32Array(tables.length), dims),
      };
      return {
        ...arranged,
        feeds: {
          ...Object.fromEntries(Object.entries(given).filter(([name]) => inputs.includes(name))),
          ...promptFeeds(plan, arranged, width),
          [PROMPT_INPUT.order]: int64(order, dims),
          row_weights: float32(weights, dims),
          ...(isSoft ? { [PROMPT_INPUT.keyBias]: float32(bias, dims) } : {}),
        },
      };
    },
    promptRows: (count, offset) =>
      Promise.resolve(
        Float32Array.from({ length: count * width }, (_, index) => {
          const row = (5 + offset + Math.floor(index / width)) % vocabulary;
          return rows[row * width + (index % width)] ?? 0;
        }),
      ),
    lengthOf: ({ ids }) => ids.length + 2,
    identify: ({ ids }) => ids.join(),
  });
  return Promise.resolve(backbone);
}

/** Embeddings of the ids of an example in a file. */
export function contentRows(file: keyof typeof FILES): (example: TokenExample) => Promise<Float32Array> {
  const graph = prepareGraph(FILES[file]);
  const { table, width } = findTokenEmbedding(graph);
  const rows = tableOf(graph, table);
  return ({ ids }) =>
    Promise.resolve(
      Float32Array.from({ length: ids.length * width }, (_, index) => {
        const id = ids[Math.floor(index / width)] ?? 0;
        return rows[id * width + (index % width)] ?? 0;
      }),
    );
}

function tableOf(graph: Graph, table: string): ArrayLike<number> {
  return tensorValues(nullThrows(graph.initializers.get(table), 'a table is stored'));
}
