import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, SourceTextModule, SyntheticModule } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import * as autodiff from './index.js';
import { Graph, int64, openSession } from './index.js';

const VOCABULARY = 8192;
const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
const [, example = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];

const miniBert = fileURLToPath(new URL('../../mini-models/models/mini-bert', import.meta.url));

describe('the example of the README', () => {
  it('prints the loss of a masked word, and its gradient', async () => {
    const [loss, gradient] = (await printed(example)) as [number, Float32Array];
    const session = await openSession(Graph.read(join(miniBert, 'onnx/model.onnx')));
    const ids = int64(Int32Array.of(2, 1012, 2051, 4, 3), [1, 5]);
    const ones = int64(new Int32Array(5).fill(1), [1, 5]);
    const inputs = { input_ids: ids, attention_mask: ones, token_type_ids: int64(new Int32Array(5), [1, 5]) };
    const { logits } = await session.run(inputs);
    await session.release();
    const row = [...(logits?.data as Float32Array)].slice(3 * VOCABULARY, 4 * VOCABULARY);
    const expected = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - (row[1500] ?? NaN);
    expect(Math.abs(loss - expected)).toBeLessThan(1e-4);
    expect(gradient).toHaveLength(5 * 256);
    expect(gradient.some((value) => value !== 0)).toBe(true);
  });
});

/** What a block of the README prints. */
async function printed(code: string): Promise<unknown[]> {
  const values: unknown[] = [];
  const log = (...more: unknown[]): void => {
    values.push(...more);
  };
  const context = createContext({ Int32Array, console: { log } });
  const modules: Readonly<Record<string, object>> = {
    '@dynaprompt/onnx-autodiff': autodiff,
    // The engine depends on no package of ours, not even here.
    '@dynaprompt/mini-models': { miniBert },
  };
  const module = new SourceTextModule(code, { context });
  await module.link((name) => {
    const entries = Object.entries(modules[name] ?? {});
    return new SyntheticModule(
      entries.map(([key]) => key),
      function (this: SyntheticModule) {
        for (const [key, value] of entries) this.setExport(key, value);
      },
      { context },
    );
  });
  await module.evaluate();
  return values;
}

describe('the names in the README', () => {
  it('are exported', () => {
    const names = [...readme.matchAll(/`([a-z]+[A-Z]\w+|[A-Z]\w+Error)`/g)].map(([, name = '']) => name);
    const options = ['withRespectTo', 'probeInputs', 'scalarFunction'];
    const missing = names.filter((name) => !(name in autodiff) && !options.includes(name));
    expect(missing).toEqual([]);
  });
});
