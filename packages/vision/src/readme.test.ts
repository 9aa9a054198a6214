import { readFileSync } from 'node:fs';
import { createContext, SourceTextModule, SyntheticModule } from 'node:vm';
import { expect, it } from '@jest/globals';
import { VISION_FAMILIES } from './folder/families.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('runs the block of the README', async () => {
  const [, code = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];
  expect(code.trim().split('\n').length).toBeGreaterThan(8);

  const printed: unknown[][] = [];
  const log = (...values: unknown[]): void => void printed.push(values);
  const context = createContext({ console: { log }, Float32Array, Int32Array, Uint8Array });
  const block = new SourceTextModule(code, { context });
  await block.link(async (specifier) => {
    const exports = (await import(specifier)) as Record<string, unknown>;
    return new SyntheticModule(
      Object.keys(exports),
      function (this: SyntheticModule) {
        for (const [name, value] of Object.entries(exports)) this.setExport(name, value);
      },
      { context },
    );
  });
  await block.evaluate();

  const [[loss, gradient, position] = []] = printed;
  expect(loss).toBeGreaterThan(0);
  expect(gradient).toHaveLength(2 * 4 * 192);
  expect(position).toHaveLength(2 * 5);
});

it('names every family', () => {
  for (const family of VISION_FAMILIES) expect(readme).toContain(`\`${family}\``);
});
