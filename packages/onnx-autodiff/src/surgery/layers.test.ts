import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { activeTensors } from '../activity.js';
import { prepareGraph } from '../differentiate.js';
import { StructureNotFoundError } from '../errors.js';
import type { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { attentionModel } from '../testing/attention-model.js';
import { buildGraph, floatInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { findLayers } from './layers.js';
import { findTokenEmbedding } from './prompts.js';
import { findLastHiddenState, findPatchEmbedding } from './structure.js';

const [TEXT, IMAGE, DECODER] = ['input_ids', 'pixel_values', 'decoder_input_ids'] as const;
type Source = typeof TEXT | typeof IMAGE | typeof DECODER;
/** After each sum (BERT), or in front of each part of a layer, so that sums are not normalised (GPT-2). */
type Normalises = 'after' | 'before';

/** Layers as `tools/exporters` builds them. */
const models: readonly (readonly [string, Source, number, Normalises])[] = [
  ...['bert-11', 'bert-14', 'bert-17', 'bert-opset14', 'bert-optimised', 'roberta', 'distilbert'].map(
    (name) => [name, TEXT, 2, 'after'] as const,
  ),
  ['electra', TEXT, 2, 'after'],
  ['albert', TEXT, 3, 'after'],
  ['mpnet', TEXT, 2, 'after'],
  ['mpnet-optimised', TEXT, 2, 'after'],
  ['deberta-v3', TEXT, 2, 'after'],
  ['modernbert', TEXT, 3, 'before'],
  ['modernbert-17', TEXT, 3, 'before'],
  ...['gpt2', 'llama', 'mistral', 'qwen2', 'qwen3-opset21'].map((name) => [name, TEXT, 2, 'before'] as const),
  ['gpt2-merged', TEXT, 1, 'before'],
  ...['t5-encoder', 't5-decoder', 't5-opset17', 't5', 'flan-t5'].map(
    (name) => [name, TEXT, 2, 'before'] as const,
  ),
  ['t5-decoder-merged', TEXT, 1, 'before'],
  ['bart-encoder', TEXT, 2, 'after'],
  ['bart-decoder', TEXT, 2, 'after'],
  ['bart-decoder-merged', TEXT, 1, 'after'],
  ['mbart-encoder', TEXT, 2, 'before'],
  ['mbart-decoder', TEXT, 2, 'before'],
  ['t5', DECODER, 2, 'before'],
  ['flan-t5', DECODER, 2, 'before'],
  ...['vit', 'deit', 'beit', 'dinov2', 'clip-vision', 'clip', 'siglip-vision', 'siglip'].map(
    (name) => [name, IMAGE, 2, 'before'] as const,
  ),
  ...['clip-text', 'clip', 'siglip-text', 'siglip'].map((name) => [name, TEXT, 2, 'before'] as const),
];

function open(name: string, source: Source): { graph: Graph; embeddings: string; hidden: string } {
  const file = fileURLToPath(new URL(`../../fixtures/${name}/model.onnx`, import.meta.url));
  const graph = prepareGraph(file, name.endsWith('-merged') ? { use_cache_branch: false } : {});
  const { tensor } = source === IMAGE ? findPatchEmbedding(graph) : findTokenEmbedding(graph, source);
  return { graph, embeddings: tensor, hidden: findLastHiddenState(graph, tensor) };
}

/** Whether the hidden state still depends on the embeddings where `tensor` is given from outside. */
function isBypassed(graph: Graph, embeddings: string, hidden: string, tensor: string): boolean {
  const cut = graph.clone();
  const producer = cut.producer(tensor);
  if (producer) {
    const others = producer.outputs.map((output) => (output === tensor ? cut.fresh('cut') : output));
    cut.setOutputs(producer, others);
  }
  cut.inputs.set(tensor, { name: tensor, dataType: 1, dims: undefined });
  return activeTensors(cut, [embeddings], [hidden]).has(hidden);
}

describe.each(models)('layers of %s behind %s', (name, source, count, normalises) => {
  const { graph, embeddings, hidden } = open(name, source);
  const layers = findLayers(graph, embeddings, hidden);

  it(`are ${count}`, () => {
    expect(layers).toHaveLength(count);
    expect(new Set(layers).size).toBe(count);
  });

  it('start at tensors that nothing bypasses, each behind the one before', () => {
    layers.forEach((layer, index) => {
      if (layer !== embeddings) expect(isBypassed(graph, embeddings, hidden, layer)).toBe(false);
      const next = layers[index + 1] ?? hidden;
      expect(activeTensors(graph, [layer], [hidden]).has(next)).toBe(true);
    });
  });

  it(`have one self-attention each, and are normalised ${normalises} their parts`, () => {
    layers.forEach((layer, index) => {
      const within = activeTensors(graph, [layer], [hidden]);
      const behind = activeTensors(graph, [layers[index + 1] ?? hidden], [hidden]);
      const softmaxes = graph
        .sortedNodes([layers[index + 1] ?? hidden])
        .filter(({ opType, outputs: [output = ''] }) => opType === 'Softmax' && within.has(output))
        .filter(({ outputs: [output = ''] }) => !behind.has(output));
      // Cross-attention and a pooling head have a softmax of their own behind the last layer's input.
      const isAlone = source === TEXT && !name.includes('t5') && !name.includes('decoder');
      if (isAlone) expect(softmaxes).toHaveLength(1);
      else expect(softmaxes.length).toBeGreaterThan(0);
      if (index === 0) return;
      const opType = graph.producer(layer)?.opType;
      const sums = ['Add', 'Reshape'];
      expect(normalises === 'after' ? opType === 'LayerNormalization' : sums.includes(opType ?? '')).toBe(
        true,
      );
    });
  });
});

describe('other layers', () => {
  it('of flattened rows start where the rows are whole again (OPT)', () => {
    const { graph, embeddings, hidden } = open('opt', TEXT);
    const layers = findLayers(graph, embeddings, hidden);
    expect(layers).toHaveLength(2);
    expect(graph.producer(layers[1] ?? '')?.opType).toBe('Reshape');
  });

  it('start behind the convolution of the first one (DeBERTa-v2)', () => {
    const { graph, embeddings, hidden } = open('deberta-v2', TEXT);
    const layers = findLayers(graph, embeddings, hidden);
    expect(layers).toHaveLength(2);
    const convolution = [...graph.nodes].find(({ opType }) => opType === 'Conv');
    expect(activeTensors(graph, convolution?.outputs ?? []).has(layers[1] ?? '')).toBe(true);
  });

  it.each([1, 2, 5])('are as many as a model has, %i', (layers) => {
    const graph = prepareGraph(attentionModel({ layers }));
    const { tensor } = findTokenEmbedding(graph);
    const found = findLayers(graph, tensor, findLastHiddenState(graph, tensor));
    expect(found).toHaveLength(layers);
    expect(found[0]).toBe(tensor);
  });
});

describe('layers are not found', () => {
  const weight = (emit: Emitter, seed: number): string => emit.floats(randomFloats(seed, 16), [4, 4]);
  const attend = (emit: Emitter, x: string, seed = 1): string => {
    const scores = emit.op('MatMul', [
      emit.op('MatMul', [x, weight(emit, seed)]),
      emit.transpose(x, [0, 2, 1]),
    ]);
    return emit.op('MatMul', [emit.op('Softmax', [scores]), x]);
  };
  const layer = (emit: Emitter, x: string, seed = 1): string => emit.add(x, attend(emit, x, seed));
  const find = (build: (emit: Emitter, x: string) => string): readonly string[] => {
    let hidden = '';
    const graph = buildGraph((emit) => {
      const x = emit.op('Neg', [floatInput(emit, 'tokens', 'B', 'T', 4)]);
      emit.alias(x, 'x');
      hidden = build(emit, 'x');
      emit.output('y', hidden);
    });
    return findLayers(graph, 'x', hidden);
  };

  it('in a model of two parts of a layer side by side: they are one layer', () => {
    const parts = (emit: Emitter, x: string): string =>
      emit.add(x, emit.add(attend(emit, x, 1), attend(emit, x, 2)));
    expect(find((emit, x) => layer(emit, parts(emit, parts(emit, x))))).toHaveLength(3);
  });

  it.each<[string, RegExp, (emit: Emitter, x: string) => string]>([
    [
      'with skip connections across layers',
      /layer 2 .*more than the output/,
      (emit, x) => {
        const first = layer(emit, x);
        return emit.add(layer(emit, layer(emit, first)), x);
      },
    ],
    [
      'whose later layers attend to the embeddings',
      /layer 2 .*more than the output/,
      (emit, x) => {
        const first = layer(emit, x);
        const scores = emit.op('MatMul', [first, emit.transpose(x, [0, 2, 1])]);
        return emit.add(first, emit.op('MatMul', [emit.op('Softmax', [scores]), first]));
      },
    ],
    ['without attention', /no self-attention/, (emit, x) => emit.add(x, emit.op('Tanh', [x]))],
    [
      'that only pools by a query of its own',
      /no self-attention/,
      (emit, x) => {
        const query = emit.floats(randomFloats(3, 4), [1, 1, 4]);
        const scores = emit.op('MatMul', [query, emit.transpose(x, [0, 2, 1])]);
        return emit.op('MatMul', [emit.op('Softmax', [scores]), x]);
      },
    ],
    [
      'whose rows come before the examples',
      /rows before examples/,
      (emit, x) => emit.transpose(layer(emit, emit.transpose(x, [1, 0, 2])), [1, 0, 2]),
    ],
  ])('in a model %s', (_name, message, build) => {
    expect(() => find(build)).toThrow(StructureNotFoundError);
    expect(() => find(build)).toThrow(message);
  });

  it('behind the last hidden state, or from a tensor that does not lead there', () => {
    const graph = prepareGraph(attentionModel({ layers: 3 }));
    const { tensor } = findTokenEmbedding(graph);
    const layers = findLayers(graph, tensor, findLastHiddenState(graph, tensor));
    const [, , third = ''] = layers;
    expect(findLayers(graph, tensor, third)).toEqual(layers.slice(0, 2));
    expect(() => findLayers(graph, third, tensor)).toThrow(StructureNotFoundError);
  });

  it('within windows (Swin)', () => {
    const file = fileURLToPath(new URL('../../fixtures/swin/model.onnx', import.meta.url));
    const graph = prepareGraph(file);
    const embeddings =
      [...graph.nodes].find(({ opType }) => opType === 'LayerNormalization')?.outputs[0] ?? '';
    const find = (): readonly string[] =>
      findLayers(graph, embeddings, findLastHiddenState(graph, embeddings));
    expect(find).toThrow(StructureNotFoundError);
    expect(find).toThrow('windows');
  });
});
