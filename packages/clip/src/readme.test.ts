import { readFileSync } from 'node:fs';
import { createContext, SourceTextModule, SyntheticModule } from 'node:vm';
import { expect, it } from '@jest/globals';
import { CLIP_FAMILIES } from './folder/clip-config.js';
import { clipPresetNames } from './presets.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('runs the block of the README', async () => {
  const [, code = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];
  expect(code.trim().split('\n').length).toBeGreaterThan(8);

  const printed: unknown[][] = [];
  const log = (...values: unknown[]): void => void printed.push(values);
  const context = createContext({ console: { log }, Uint8Array });
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

  const [[zeroShot, tuned] = []] = printed;
  expect(zeroShot).toHaveLength(2 * 2);
  expect(tuned).toHaveLength(2 * 2);
});

it('names every family and preset', () => {
  for (const name of [...CLIP_FAMILIES, ...clipPresetNames]) expect(readme).toContain(`\`${name}\``);
});
