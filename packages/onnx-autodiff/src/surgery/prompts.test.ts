import { describe, expect, it } from '@jest/globals';
import { appendLossGradient, prepareGraph } from '../differentiate.js';
import { StructureNotFoundError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { ProbeInputs } from '../session/probe.js';
import { openSession } from '../session/session.js';
import { float32, floatsOf, int64, type TensorValue } from '../session/tensor-value.js';
import { attentionModel, VOCABULARY, WIDTH } from '../testing/attention-model.js';
import { centralDifferences, withDoubleForward } from '../testing/double-precision.js';
import {
  buildGraph,
  distance,
  evaluate,
  floatInput,
  integerInput,
  relativeError,
} from '../testing/models.js';
import { batchOf, layouts, type Layout } from '../testing/prompt-layouts.js';
import { randomFloats } from '../testing/random.js';
import { findTokenEmbedding, gatherPromptGradient, injectPrompts } from './prompts.js';

function probeInputs(): ProbeInputs {
  const probe = (layout: Layout, promptLength: number): Record<string, TensorValue> => {
    const { feeds, prompts } = batchOf(layout, promptLength);
    return { ...feeds, prompt_embeddings: prompts };
  };
  return [
    probe(['P0 1 2 3', 'P0 1 2 3'], 1),
    probe(['P0 P1 1 2 3 4 5', 'P0 P1 1 2 3 4 5', 'P0 P1 1 2 3 4 5'], 2),
  ];
}

async function trainingGraph(): Promise<Graph> {
  const graph = prepareGraph(attentionModel({ layers: 2 }));
  const { embeddings } = injectPrompts(graph, findTokenEmbedding(graph).tensor, WIDTH);
  const { loss, gradients } = await appendLossGradient(graph, {
    withRespectTo: [embeddings],
    objective: { kind: 'cross-entropy', output: 'logits' },
    probeInputs: probeInputs(),
  });
  const emit = new Emitter(graph);
  graph.outputs.clear();
  emit.output('loss', loss);
  emit.output('prompt_gradient', gatherPromptGradient(emit, gradients.get(embeddings) ?? '').gradient);
  return graph;
}

describe('prompts', () => {
  it.each(layouts)('%s have the gradient of finite differences', async (_name, promptLength, layout) => {
    const graph = await trainingGraph();
    const { feeds: inputs, targets, prompts } = batchOf(layout, promptLength);
    const feeds = { ...inputs, ...targets };
    const session = await openSession(graph);
    const results = await session.run({ ...feeds, prompt_embeddings: prompts });
    await session.release();

    const loss = graph.clone();
    loss.outputs.delete('prompt_gradient');
    await withDoubleForward(loss, feeds, async (forward) => {
      const values = { dims: prompts.dims, data: Float64Array.from(floatsOf(prompts)) };
      const variables = { prompt_embeddings: values };
      const exact = (await forward(variables)).data[0] ?? Number.NaN;
      expect(Math.abs((floatsOf(results.loss)[0] ?? Number.NaN) - exact)).toBeLessThan(1e-6);
      const expected = await centralDifferences(forward, variables, 'prompt_embeddings', [1]);
      expect(results.prompt_gradient?.dims).toEqual(prompts.dims);
      expect(relativeError(floatsOf(results.prompt_gradient), expected)).toBeLessThan(1e-5);
    });
  });

  it.each(layouts)(
    '%s that are token embeddings act like the tokens',
    async (_name, promptLength, layout) => {
      const plain = prepareGraph(attentionModel());
      const { tensor, table } = findTokenEmbedding(plain);
      const weights = plain.constantValues(table) ?? [];
      const prompted = plain.clone();
      injectPrompts(prompted, tensor, WIDTH);
      const { feeds, cells, mask, prompts } = batchOf(layout, promptLength);
      // Prompt row i of every example is the embedding of token i + 2.
      const rows = Float32Array.from(
        { length: floatsOf(prompts).length },
        (_, index) => weights[2 * WIDTH + (index % (promptLength * WIDTH))] ?? 0,
      );
      const actual = await evaluate(prompted, { ...feeds, prompt_embeddings: float32(rows, prompts.dims) });
      const ids = cells.flatMap((row) =>
        row.map((cell) =>
          cell === '-' ? 0 : cell.startsWith('P') ? Number(cell.slice(1)) + 2 : Number(cell),
        ),
      );
      const expected = await evaluate(plain, {
        input_ids: int64(ids, [cells.length, cells[0]?.length ?? 0]),
        attention_mask: mask,
      });
      expect(distance(actual.logits, expected.logits)).toBeLessThan(1e-6);
      expect(distance(actual.hidden, expected.hidden)).toBeLessThan(1e-6);
    },
  );

  it('cannot be injected into a tensor that no node makes', () => {
    const graph = prepareGraph(attentionModel());
    expect(() => injectPrompts(graph, 'input_ids', WIDTH)).toThrow(StructureNotFoundError);
    expect(() => injectPrompts(graph, 'nowhere', WIDTH)).toThrow('tensor nowhere');
  });
});

describe('the token embedding', () => {
  it('is found with its table', () => {
    const graph = prepareGraph(attentionModel());
    const found = findTokenEmbedding(graph);
    expect(found).toMatchObject({ vocabulary: VOCABULARY, width: WIDTH });
    expect(graph.producer(found.tensor)?.opType).toBe('Gather');
    expect(graph.initializers.get(found.table)?.dims).toEqual([VOCABULARY, WIDTH]);
  });

  it.each<[string, (emit: Emitter) => string]>([
    ['a table along another axis', (emit) => emit.op('Gather', [table(emit), 'input_ids'], { axis: 1 })],
    ['a computed table', (emit) => emit.op('Gather', [emit.op('Tanh', [table(emit)]), 'input_ids'])],
    ['no table', (emit) => emit.op('Gather', [emit.shape(table(emit)), 'input_ids'])],
  ])('is not found in a graph with %s', (_name, build) => {
    const graph = buildGraph((emit) => {
      integerInput(emit, 'input_ids', 1);
      emit.output('y', build(emit));
    });
    expect(() => findTokenEmbedding(graph)).toThrow(StructureNotFoundError);
    expect(() => findTokenEmbedding(graph)).toThrow('test model');
  });

  it('is looked for at the named input', () => {
    const graph = buildGraph((emit) => {
      floatInput(emit, 'x', 1);
      emit.output('y', emit.op('Gather', [table(emit), integerInput(emit, 'decoder_input_ids', 1)]));
    });
    expect(findTokenEmbedding(graph, 'decoder_input_ids').width).toBe(3);
    expect(() => findTokenEmbedding(graph, 'x')).toThrow('the input x');
  });
});

function table(emit: Emitter): string {
  return emit.floats(randomFloats(1, 6), [2, 3]);
}
