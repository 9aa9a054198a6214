import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigurationError, ModelError } from '@dynaprompt/core';
import { Emitter, floatsOf, Graph, openSession } from '@dynaprompt/onnx-autodiff';
import { emptyGraph } from './testing/graphs.js';
import { writeFolder } from './write-folder.js';
import { writeModelFiles } from './write-model-files.js';

let workplace: string;

beforeEach(() => {
  workplace = mkdtempSync(join(tmpdir(), 'dynaprompt-export-'));
});

afterEach(() => {
  rmSync(workplace, { recursive: true, force: true });
});

describe('a model', () => {
  /** a + b, a and b in files of their own, behind other bytes. */
  function sum(): Graph {
    const emit = new Emitter(emptyGraph());
    for (const [name, skipped, value] of [
      ['a', 3, 1.5],
      ['b', 8, 2],
    ] as const) {
      const file = join(workplace, `${name}.bin`);
      writeFileSync(file, Buffer.concat([Buffer.alloc(skipped), Buffer.from(Float32Array.of(value).buffer)]));
      const data = { kind: 'file', file, offset: skipped, length: 4 } as const;
      emit.graph.initializers.set(name, { name, dims: [1], dataType: 1, data });
    }
    emit.output('sum', emit.add('a', 'b'));
    return emit.graph;
  }

  it.each(['copy', 'link', 'embed'] as const)('is written with its weights: %s', async (placement) => {
    const folder = join(workplace, 'model');
    mkdirSync(folder);
    const files = await writeModelFiles(sum(), folder, placement);
    expect(files).toEqual(placement === 'embed' ? [] : ['model.onnx_data', 'model.onnx_data_1']);
    expect(readdirSync(folder).sort()).toEqual(['model.onnx', ...files]);
    rmSync(join(workplace, 'a.bin'));
    rmSync(join(workplace, 'b.bin'));
    const session = await openSession(Graph.read(join(folder, 'model.onnx')));
    expect(floatsOf((await session.run({})).sum)[0]).toBe(3.5);
    await session.release();
  });

  it('does not change the graph that it is written from', async () => {
    const graph = sum();
    await writeModelFiles(graph, workplace, 'copy');
    expect(graph.initializers.get('a')?.data).toMatchObject({ file: join(workplace, 'a.bin') });
  });

  it('says which weights are gone', async () => {
    const graph = sum();
    rmSync(join(workplace, 'b.bin'));
    for (const placement of ['copy', 'link'] as const) {
      await expect(writeModelFiles(graph, join(workplace), placement)).rejects.toThrow(ModelError);
      rmSync(join(workplace, 'model.onnx_data'), { force: true });
    }
  });
});

describe('a folder', () => {
  it('appears when it is complete', async () => {
    const target = join(workplace, 'a', 'b');
    await writeFolder(target, (folder) => {
      expect(existsSync(target)).toBe(false);
      writeFileSync(join(folder, 'file'), 'content');
      return Promise.resolve();
    });
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('content');
    expect(readdirSync(join(workplace, 'a'))).toEqual(['b']);
  });

  it('does not appear where filling it fails', async () => {
    const filling = writeFolder(join(workplace, 'target'), (folder) => {
      writeFileSync(join(folder, 'file'), 'half');
      return Promise.reject(new Error('no more room'));
    });
    await expect(filling).rejects.toThrow('no more room');
    expect(readdirSync(workplace)).toEqual([]);
  });

  it('is not written over another', async () => {
    const target = join(workplace, 'target');
    mkdirSync(target);
    // Someone else fills it in the meantime.
    const filling = writeFolder(target, () => {
      writeFileSync(join(target, 'theirs'), '');
      return Promise.resolve();
    });
    await expect(filling).rejects.toThrow(ConfigurationError);
    expect(readdirSync(workplace)).toEqual(['target']);
    expect(readdirSync(target)).toEqual(['theirs']);
  });
});
