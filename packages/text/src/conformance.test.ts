import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createContext, SourceTextModule, SyntheticModule } from 'node:vm';
import { afterAll, describe, expect, it } from '@jest/globals';
import { conformance } from '@dynaprompt/conformance';
import { nullThrows } from '@dynaprompt/core';
import { findTokenEmbedding, prepareGraph, tensorValues } from '@dynaprompt/onnx-autodiff';
import type { HeadOptions } from './backbone/head.js';
import { openTextBackbone } from './open-text-backbone.js';
import {
  DECODERS,
  ENCODERS,
  fixtureFile,
  T5,
  textOf,
  writeFixture,
  type FixtureModel,
} from './testing/fixture-folders.js';
import { temporaryFolder } from './testing/folders.js';
import type { TextExample } from './tokenization/encode.js';

const { folder, ...temporary } = temporaryFolder();
afterAll(() => {
  temporary.remove();
});

const WORDS = [
  [7, 21, 40, 9],
  [50, 8, 33],
  [13, 44, 27, 30, 11, 60],
];
const examples: readonly TextExample[] = WORDS.map((ids) => ({ text: textOf(...ids) }));
const labels = [1, 0, 2];

/** Embeddings of a text's words in the file of a fixture. */
function wordRows(fixture: string): (example: TextExample) => Promise<Float32Array> {
  const graph = prepareGraph(fixtureFile(fixture));
  const { table, width } = findTokenEmbedding(graph);
  const rows = tensorValues(nullThrows(graph.initializers.get(table), table));
  return ({ text }) => {
    const ids = WORDS.find((words) => textOf(...words) === text) ?? [];
    return Promise.resolve(
      Float32Array.from(ids.flatMap((id) => [...rows.slice(id * width, (id + 1) * width)])),
    );
  };
}

const families: Readonly<
  Record<string, { readonly model: FixtureModel | undefined; readonly fixture?: string }>
> = {
  // Its head reads [CLS], which no prompt moves.
  bert: { model: ENCODERS.bert, fixture: 'bert-14' },
  gpt2: { model: DECODERS.gpt2 },
  t5: { model: T5 },
};

for (const [name, { model, fixture }] of Object.entries(families)) {
  const location = writeFixture(join(folder, name), nullThrows(model, name));
  const head: HeadOptions = {
    kind: 'linear',
    classes: 3,
    ...(fixture === undefined ? {} : { pooling: 'cls' as const }),
  };
  conformance<TextExample>(
    {
      name,
      open: () => openTextBackbone(location, { threads: 1, reserve: 4, head }),
      examples,
      labels,
      ...(fixture === undefined ? {} : { contentRows: wordRows(fixture) }),
    },
    { describe, it, afterAll, expect },
  );
}

describe('the test of the README of @dynaprompt/conformance', () => {
  it('is ten lines or less, and mini-bert passes it', async () => {
    const folder = dirname(createRequire(import.meta.url).resolve('@dynaprompt/conformance/package.json'));
    const [, code = ''] = /```js\n(.*?)```/s.exec(readFileSync(join(folder, 'README.md'), 'utf8')) ?? [];
    expect(code.split('\n').filter((line) => line !== '').length).toBeLessThanOrEqual(10);
    const bodies: (() => Promise<void>)[] = [];
    const keep = (body: () => Promise<void>): number => bodies.push(body);
    const runner = {
      describe: (_: string, body: () => void) => {
        body();
      },
      it: (_: string, body: () => Promise<void>) => keep(body),
      after: keep,
    };
    const context = createContext({});
    const block = new SourceTextModule(code, { context });
    await block.link(async (specifier) => {
      const exports =
        specifier === 'node:test' ? runner : ((await import(specifier)) as Record<string, unknown>);
      return new SyntheticModule(
        Object.keys(exports),
        function (this: SyntheticModule) {
          for (const [key, value] of Object.entries(exports)) this.setExport(key, value);
        },
        { context },
      );
    });
    await block.evaluate();
    expect(bodies.length).toBeGreaterThan(15);
    for (const body of bodies) await body();
  });
});
