import { closeSync, openSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { differentiate } from '../differentiate.js';
import { MalformedModelError } from '../errors.js';
import { Graph } from '../graph/graph.js';
import { tensorValues } from '../graph/tensor-data.js';
import { DataType } from '../graph/types.js';
import { float32, floatsOf } from '../session/tensor-value.js';
import { inFolder } from '../testing/files.js';
import { evaluate } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { modelWithGraph, tensorHeader, writeExternalData } from '../testing/wire-models.js';

const [ROWS, COLUMNS] = [40, 60];
const BYTES = 4 * ROWS * COLUMNS;

/** y = x W, with W [40, 60] at a place in `weights.bin`. */
function product(offset: number): Uint8Array {
  return modelWithGraph((graph) => {
    graph.message(1, (node) => {
      for (const input of ['x', 'w']) node.string(1, input);
      node.string(2, 'y');
      node.string(4, 'MatMul');
    });
    graph.message(5, (tensor) => {
      tensor.string(8, 'w');
      tensorHeader(DataType.float32, ROWS, COLUMNS)(tensor);
      writeExternalData(tensor, { location: 'weights.bin', offset: String(offset), length: String(BYTES) });
    });
    for (const [field, name, columns] of [
      [11, 'x', ROWS],
      [12, 'y', COLUMNS],
    ] as const) {
      graph.message(field, (value) => {
        value.string(1, name);
        value.message(2, (type) => {
          type.message(1, (tensor) => {
            tensor.integer(1, DataType.float32);
            tensor.message(2, (shape) => {
              for (const extent of [1, columns])
                shape.message(1, (dimension) => {
                  dimension.integer(1, extent);
                });
            });
          });
        });
      });
    }
  });
}

/** A file with holes: it holds the weights at `offset` and takes no more room than they do. */
function sparseFile(file: string, weights: Float32Array, offset: number, size: number): void {
  writeFileSync(file, '');
  truncateSync(file, size);
  const descriptor = openSync(file, 'r+');
  try {
    writeSync(descriptor, new Uint8Array(weights.buffer), 0, BYTES, offset);
  } finally {
    closeSync(descriptor);
  }
}

describe('external data in a file of gigabytes', () => {
  const weights = randomFloats(1, ROWS * COLUMNS);
  const x = randomFloats(2, ROWS);
  const upstream = randomFloats(3, COLUMNS);
  // Places beyond what signed and unsigned numbers of 32 bits hold, on a page and off it.
  const places = [2 ** 31 + 4096, 2 ** 32 - 400, 2 ** 32 + 65_536, 5 * 2 ** 30 + 12];

  it.each(places)('is read at byte %d, and a session computes with it', async (offset) => {
    await inFolder(async (folder) => {
      const file = join(folder, 'model.onnx');
      writeFileSync(file, product(offset));
      sparseFile(join(folder, 'weights.bin'), weights, offset, offset + BYTES + 2 ** 20);
      const graph = Graph.read(file);
      const tensor = graph.initializers.get('w');
      expect(tensor?.data).toMatchObject({ kind: 'file', offset, length: BYTES });
      expect(tensor && tensorValues(tensor)).toEqual(weights);

      const expected = Array.from({ length: COLUMNS }, (_, column) =>
        x.reduce((sum, value, row) => sum + value * (weights[row * COLUMNS + column] ?? 0), 0),
      );
      const { y } = await evaluate(graph, { x: float32(x, [1, ROWS]) });
      floatsOf(y).forEach((value, column) => {
        expect(value).toBeCloseTo(expected[column] ?? Number.NaN, 4);
      });
    });
  });

  it('is differentiated through, in a process of its own too', async () => {
    const offset = 3 * 2 ** 30;
    const expected = Array.from({ length: ROWS }, (_, row) =>
      upstream.reduce((sum, value, column) => sum + value * (weights[row * COLUMNS + column] ?? 0), 0),
    );
    await inFolder(async (folder) => {
      const file = join(folder, 'model.onnx');
      writeFileSync(file, product(offset));
      sparseFile(join(folder, 'weights.bin'), weights, offset, offset + BYTES);
      expect(statSync(join(folder, 'weights.bin')).size).toBeGreaterThan(2 ** 31);
      for (const isolated of [false, true]) {
        const session = await differentiate(file, {
          withRespectTo: ['x'],
          objective: { kind: 'vector-jacobian', output: 'y' },
          isolated,
        });
        const feeds = { x: float32(x, [1, ROWS]), upstream: float32(upstream, [1, COLUMNS]) };
        const { gradients } = await session.run(feeds);
        await session.release();
        floatsOf(gradients.x).forEach((value, row) => {
          expect(value).toBeCloseTo(expected[row] ?? Number.NaN, 4);
        });
      }
    });
  });

  it('that ends a byte too early is refused', async () => {
    const offset = 2 ** 32 + 8;
    await inFolder((folder) => {
      const file = join(folder, 'model.onnx');
      writeFileSync(file, product(offset));
      sparseFile(join(folder, 'weights.bin'), weights, offset, offset + BYTES);
      truncateSync(join(folder, 'weights.bin'), offset + BYTES - 1);
      expect(() => Graph.read(file)).toThrow(MalformedModelError);
      expect(() => Graph.read(file)).toThrow(`has only ${offset + BYTES - 1} bytes`);
    });
  });
});
