import { expect, it } from '@jest/globals';
import { prepareGraph } from '../differentiate.js';
import type { AttributeValue, Emitter } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { findTokenEmbedding, injectPrompts } from '../surgery/prompts.js';
import { buildModel, integerInput } from '../testing/models.js';
import { addConstant } from '../testing/vector-jacobian.js';

const [VOCABULARY, WIDTH] = [300, 160];
const bytes = (emit: Emitter, width = WIDTH): string =>
  addConstant(emit, DataType.uint8, [VOCABULARY, width], new Uint8Array(VOCABULARY * width));
const scale = (emit: Emitter): string => emit.float(0.5);

function blocks(
  emit: Emitter,
  ids: string,
  width: number,
  attributes: Record<string, AttributeValue>,
): string {
  const scales = emit.floats(new Float32Array(VOCABULARY * 5).fill(1), [VOCABULARY, 5]);
  const inputs = [bytes(emit, width), ids, scales];
  const values = { block_size: 32, ...attributes };
  return emit.node('GatherBlockQuantized', inputs, values, { domain: 'com.microsoft' })[0] ?? '';
}

it.each<[string, (emit: Emitter, ids: string) => string]>([
  [
    'codes, converted afterwards',
    (emit, ids) => emit.op('DequantizeLinear', [emit.op('Gather', [bytes(emit), ids]), scale(emit)]),
  ],
  [
    'values of codes',
    (emit, ids) => emit.op('Gather', [emit.op('DequantizeLinear', [bytes(emit), scale(emit)]), ids]),
  ],
  ['blocks of 4 bits', (emit, ids) => blocks(emit, ids, WIDTH / 2, {})],
  ['blocks of 8 bits', (emit, ids) => blocks(emit, ids, WIDTH, { bits: 8 })],
  [
    'float16',
    (emit, ids) => {
      const table = addConstant(
        emit,
        DataType.float16,
        [VOCABULARY, WIDTH],
        new Uint16Array(VOCABULARY * WIDTH),
      );
      return emit.op('Gather', [table, ids]);
    },
  ],
])('finds token embeddings stored as %s', (_name, lookup) => {
  const model = buildModel((emit) => {
    const rows = lookup(emit, integerInput(emit, 'input_ids', 'B', 'T'));
    emit.output('y', emit.op('Tanh', [rows]));
  });
  const graph = prepareGraph(model);
  const found = findTokenEmbedding(graph);
  expect(found).toMatchObject({ vocabulary: VOCABULARY, width: WIDTH });
  expect(graph.initializers.has(found.table)).toBe(true);
  injectPrompts(graph, found.tensor, found.width);
  const [reader] = graph.consumers(found.tensor);
  expect(reader?.opType).toBe('Tanh');
});
