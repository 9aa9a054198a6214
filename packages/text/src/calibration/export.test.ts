import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { selectBackend } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { floatsOf, Graph, openSession } from '@dynaprompt/onnx-autodiff';
import { createTextEncoder } from '../encoder/text-encoder.js';
import { exportTunedEncoder } from '../export/export-encoder.js';
import { temporaryFolder } from '../testing/folders.js';
import { distance } from '../testing/numbers.js';
import { TEXTS, tokenise, tunedPrompt } from '../testing/tuned-prompts.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});

it('takes the biases of a calibration along, computed or given', async () => {
  await selectBackend({ packageName: '@tensorflow/tfjs-backend-wasm' });
  const head = {
    kind: 'verbalizer',
    template: '{text} it was {mask} .',
    words: ['bad', 'good'],
    calibration: 'contextual',
  } as const;
  const options = { head, reserve: 4, threads: 1 };
  const backbone = await createTextEncoder(miniBert, options);
  const prompt = await tunedPrompt(backbone, { slots: 4 }, 3);
  const { plan } = prompt.plan(undefined, TEXTS.length, { training: false });
  const expected = await backbone.predict(TEXTS, plan, new Map());
  await backbone.release();
  for (const [name, given] of Object.entries({
    computed: options,
    given: { ...options, head: backbone.head },
  })) {
    const target = join(temporary.folder, name);
    await exportTunedEncoder(miniBert, given, { prompt, head: new Map() }, target);
    const session = await openSession(Graph.read(join(target, 'onnx/model.onnx')), { threads: 1 });
    const { logits } = await session.run(await tokenise(TEXTS));
    await session.release();
    expect(distance(floatsOf(logits), expected)).toBeLessThan(1e-5);
  }
});
