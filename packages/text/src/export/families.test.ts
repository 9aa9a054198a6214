import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { selectBackend } from '@dynaprompt/core';
import { floatsOf, int64, openSession, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { promptOfTask } from '@dynaprompt/onnx-export';
import { resolveHead, type HeadOptions } from '../backbone/head.js';
import { createTextEncoder } from '../encoder/text-encoder.js';
import { ENCODERS, fixtureFile, textOf, writeFixture } from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { distance } from '../testing/numbers.js';
import { normals } from '../testing/plans.js';
import { tunedPrompt } from '../testing/tuned-prompts.js';
import { loadTokenizer } from '../tokenization/tokenizer.js';
import { buildTunedGraph, EXPORTED } from './tuned-graph.js';

const temporary = temporaryFolder();
beforeAll(() => selectBackend({ packageName: '@tensorflow/tfjs-backend-wasm' }));
afterAll(() => {
  temporary.remove();
});
const texts = [
  [10, 11, 12],
  [20, 21, 22, 23, 24, 25],
];

const heads: readonly HeadOptions[] = [
  { kind: 'linear', classes: 2 },
  { kind: 'regression', range: [-3, 4] },
];
const cases = Object.entries(ENCODERS).flatMap(([name, model]) =>
  heads.map((head) => [name, head.kind, { model, head }] as const),
);

it.each(cases)('an exported %s with a head %s gives the logits of predict', async (name, kind, given) => {
  const { model, head } = given;
  const folder = writeFixture(`${temporary.folder}/${name}-${kind}`, model);
  const backbone = await createTextEncoder(folder, { head, reserve: 3, threads: 1 });
  const examples = texts.map((ids) => ({ text: textOf(...ids) }));
  const prompt = await tunedPrompt(
    backbone,
    { slots: 3, position: { mode: 'split', level: 'instance' }, length: { level: 'task' } },
    5,
    examples,
  );
  const headParameters = backbone.initialHead(1);
  headParameters.get('head.weight')?.values.set(normals('weight', backbone.classes * backbone.width, 0.3));
  const tokenizer = await loadTokenizer(folder);
  const graph = buildTunedGraph({
    file: fixtureFile(model.files['model.onnx'] ?? ''),
    hiddenWidth: Number(model.config[name === 'distilbert' ? 'dim' : 'hidden_size']),
    head: resolveHead(head, tokenizer, 20),
    headParameters,
    prompt: promptOfTask(prompt, undefined),
    tokenizer,
    reportChoices: false,
  });
  const [cls = 0, sep = 0, pad = 0] = ['[CLS]', '[SEP]', '[PAD]'].map((token) => model.special[token]);
  const rows = texts.map((ids) => [cls, ...ids, sep]);
  const width = Math.max(...rows.map((row) => row.length));
  const padded = (of: (row: readonly number[], at: number) => number): TensorValue =>
    int64(
      rows.flatMap((row) => Array.from({ length: width }, (_, at) => of(row, at))),
      [rows.length, width],
    );
  const inputs: Readonly<Record<string, TensorValue>> = {
    input_ids: padded((row, at) => row[at] ?? pad),
    attention_mask: padded((row, at) => (at < row.length ? 1 : 0)),
    token_type_ids: padded(() => 0),
  };
  const feeds = Object.fromEntries(Object.entries(inputs).filter(([input]) => graph.inputs.has(input)));
  const session = await openSession(graph, { threads: 1 });
  const { plan } = prompt.plan(await backbone.features(examples), 2, { training: false });
  const expected = await backbone.predict(examples, plan, headParameters);
  expect(distance(floatsOf((await session.run(feeds))[EXPORTED.logits]), expected)).toBeLessThan(1e-5);
  expect(distance(await backbone.predict(examples, undefined, headParameters), expected)).toBeGreaterThan(
    1e-5,
  );
  await session.release();
  await backbone.release();
});
