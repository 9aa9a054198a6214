import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, SourceTextModule, SyntheticModule } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import * as autodiff from './index.js';
import { inFolder } from './testing/files.js';
import { buildModel, floatInput } from './testing/models.js';

const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
const [, example = ''] = /```js\n([^`]*)```/.exec(readme) ?? [];

describe('the example of the README', () => {
  it('is ten lines at most and prints output and gradient of a model', async () => {
    expect(
      example
        .trim()
        .split('\n')
        .filter((line) => line !== ''),
    ).toHaveLength(9);
    await inFolder(async (folder) => {
      const file = join(folder, 'model.onnx');
      // y = x² W ⇒ dL/dx = 2 x · (dL/dy Wᵀ)
      const bytes = buildModel((emit) => {
        const x = floatInput(emit, 'x', 'batch', 3);
        const weight = emit.floats(Float32Array.of(1, 0, 0, 1, 2, 3), [3, 2]);
        emit.output('y', emit.op('MatMul', [emit.mul(x, x), weight]));
      });
      writeFileSync(file, bytes);
      const printed: unknown[] = [];
      const print = (...values: unknown[]): void => {
        printed.push(...values);
      };
      const context = createContext({ Float32Array, console: { log: print } });
      const code = example.replace("'model.onnx'", JSON.stringify(file));
      expect(code).not.toBe(example);
      const module = new SourceTextModule(code, { context });
      await module.link((name) => {
        expect(name).toBe('@dynaprompt/onnx-autodiff');
        const names = Object.keys(autodiff);
        return new SyntheticModule(
          names,
          function (this: SyntheticModule) {
            for (const [key, value] of Object.entries(autodiff)) this.setExport(key, value);
          },
          { context },
        );
      });
      await module.evaluate();
      expect(printed).toEqual([Float32Array.of(19, 31), Float32Array.of(2, -4, -6)]);
    });
  });
});

describe('the names in the README', () => {
  it('are exported', () => {
    const names = [...readme.matchAll(/`([a-z]+[A-Z]\w+|[A-Z]\w+Error)`/g)].map(([, name = '']) => name);
    const options = ['withRespectTo', 'probeInputs', 'scalarFunction'];
    const missing = names.filter((name) => !(name in autodiff) && !options.includes(name));
    expect(missing).toEqual([]);
  });
});
