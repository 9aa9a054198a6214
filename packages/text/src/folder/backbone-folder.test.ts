import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ModelError } from '@dynaprompt/core';
import {
  Emitter,
  findLastHiddenState,
  findTokenEmbedding,
  MalformedModelError,
  OnnxAutodiffError,
  prepareGraph,
} from '@dynaprompt/onnx-autodiff';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder, type TextEncoderOptions } from '../encoder/text-encoder.js';
import { alteredBackbone, BACKBONE_FILES, temporaryFolder } from '../testing/folders.js';
import { distance } from '../testing/numbers.js';
import { fingerprint } from '@dynaprompt/backbone';

const linear: TextEncoderOptions = { threads: 1, reserve: 4, head: { kind: 'linear', classes: 2 } };
const verbaliser: TextEncoderOptions = {
  ...linear,
  head: { kind: 'verbalizer', template: '{text} {mask}', words: ['good', 'bad'] },
};
const json = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(miniBert, file), 'utf8')) as Record<string, unknown>;

let temporary: ReturnType<typeof temporaryFolder>;
let folder: string;
beforeEach(() => {
  temporary = temporaryFolder();
  folder = join(temporary.folder, 'my-bert');
});
afterEach(() => {
  temporary.remove();
});

async function expectRefusal(
  message: RegExp,
  kind: abstract new (...given: never[]) => Error = ModelError,
  options = linear,
): Promise<void> {
  const opening = createTextEncoder(folder, options);
  await expect(opening).rejects.toThrow(message);
  await expect(opening).rejects.toBeInstanceOf(kind);
  // One line: package, subject, problem, remedy.
  await expect(opening).rejects.toThrow(/^@dynaprompt\/[\w-]+: [^\n]+\.$/);
}

it('opens a folder made of copies and links, also by a relative path', async () => {
  alteredBackbone(folder, {});
  const current = process.cwd();
  process.chdir(temporary.folder);
  try {
    const backbone = await createTextEncoder('my-bert', linear);
    expect(backbone.description.name).toBe('my-bert');
    expect(backbone.description.revision).toBe(fingerprint(join(miniBert, 'onnx/model.onnx')));
    await backbone.features([{ text: 'good' }]);
    await backbone.release();
  } finally {
    process.chdir(current);
  }
});

describe('folder', () => {
  it('that is not there', async () => {
    await expectRefusal(/my-bert".*no such folder.*config\.json/);
    folder = '';
    await expectRefusal(/"".*no such folder/);
  });

  it('that is a file', async () => {
    writeFileSync(folder, '');
    await expectRefusal(/my-bert: this is a file, not a folder/);
  });

  it.each(BACKBONE_FILES)('without %s', async (file) => {
    alteredBackbone(folder, { [file]: null });
    await expectRefusal(new RegExp(`my-bert/${file}: the file is missing`));
  });
});

describe('config.json', () => {
  const cases: [string, string, RegExp][] = [
    ['no JSON', '{"model_type": "bert",', /config\.json: it cannot be read as JSON/],
    ['empty', '', /config\.json: it cannot be read as JSON/],
    ['null', 'null', /config\.json: Invalid input: expected object/],
    ['a list', '[]', /config\.json: Invalid input: expected object/],
    [
      'no family',
      JSON.stringify({ ...json('config.json'), model_type: undefined }),
      /config\.json: model_type/,
    ],
    [
      'no width',
      JSON.stringify({ ...json('config.json'), hidden_size: undefined }),
      /config\.json: hidden_size/,
    ],
    [
      'no positions',
      JSON.stringify({ ...json('config.json'), max_position_embeddings: 0 }),
      /config\.json: max_position_embeddings/,
    ],
    [
      'a wrong width',
      JSON.stringify({ ...json('config.json'), hidden_size: 768 }),
      /256 wide, config\.json says 768/,
    ],
  ];
  it.each(cases)('with %s', async (_, content, message) => {
    alteredBackbone(folder, { 'config.json': content });
    await expectRefusal(message);
  });

  it.each(['gpt2', 't5', 'llama'])('of the family %s', async (family) => {
    // What a config of that family has of BERT's fields does not matter.
    alteredBackbone(folder, { 'config.json': JSON.stringify({ model_type: family, n_embd: 768 }) });
    await expectRefusal(
      new RegExp(`config\\.json: models of the family '${family}' are not supported.* bert`),
    );
  });
});

describe('tokenizer.json', () => {
  it.each([
    ['cut off', readFileSync(join(miniBert, 'tokenizer.json'), 'utf8').slice(0, 5000)],
    ['empty', ''],
    ['without a model', JSON.stringify({ ...json('tokenizer.json'), model: undefined })],
    ['a git-lfs pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'],
  ])('%s', async (_, content) => {
    alteredBackbone(folder, { 'tokenizer.json': content });
    await expectRefusal(/my-bert.*tokenizer\.json.*cannot be loaded/);
  });

  it('with more tokens than the model knows', async () => {
    const tokenizer = json('tokenizer.json') as { model: { vocab: Record<string, number> } };
    tokenizer.model.vocab.extraordinary = 9000;
    alteredBackbone(folder, { 'tokenizer.json': JSON.stringify(tokenizer) });
    await expectRefusal(/knows 8192 tokens, the tokeniser gives 9001/);
  });

  it('without a mask token, for a verbaliser', async () => {
    alteredBackbone(folder, {
      'tokenizer_config.json': JSON.stringify({ ...json('tokenizer_config.json'), mask_token: null }),
    });
    await expectRefusal(/the tokeniser has no mask token/, Error, verbaliser);
  });
});

describe('model.onnx', () => {
  const whole = readFileSync(join(miniBert, 'onnx/model.onnx'));

  it.each([0, 10, 1000, 1_000_000, whole.length - 1000, whole.length - 1])(
    'cut after %i bytes',
    async (length) => {
      alteredBackbone(folder, { 'onnx/model.onnx': whole.subarray(0, length) });
      await expectRefusal(/my-bert\/onnx\/model\.onnx/, MalformedModelError);
    },
  );

  it('that is a git-lfs pointer', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 21600000\n';
    alteredBackbone(folder, { 'onnx/model.onnx': pointer });
    await expectRefusal(/model\.onnx: this is a git-lfs pointer.*git lfs pull/, MalformedModelError);
  });

  it('that is something else', async () => {
    alteredBackbone(folder, { 'onnx/model.onnx': '<!DOCTYPE html><html><body>Not found</body></html>' });
    await expectRefusal(/my-bert\/onnx\/model\.onnx/, OnnxAutodiffError);
  });

  it('that is a folder', async () => {
    alteredBackbone(folder, { 'onnx/model.onnx': null });
    mkdirSync(join(folder, 'onnx/model.onnx'));
    await expectRefusal(/my-bert\/onnx\/model\.onnx/, Error);
  });

  it('without a masked-language head serves a linear head, and refuses a verbaliser', async () => {
    alteredBackbone(folder, { 'onnx/model.onnx': null });
    const weights = join(folder, 'onnx/weights.onnx');
    copyFileSync(join(miniBert, 'onnx/model.onnx'), weights);
    const graph = prepareGraph(weights);
    const hidden = findLastHiddenState(graph, findTokenEmbedding(graph).tensor);
    graph.outputs.clear();
    new Emitter(graph).output('last_hidden_state', hidden);
    graph.prune();
    writeFileSync(join(folder, 'onnx/model.onnx'), graph.serialize());

    const [headless, reference] = [
      await createTextEncoder(folder, linear),
      await createTextEncoder(miniBert, linear),
    ];
    const examples = [{ text: 'a quiet film' }];
    expect(distance(await headless.features(examples), await reference.features(examples))).toBeLessThan(
      1e-5,
    );
    await headless.release();
    await reference.release();
    await expectRefusal(
      /model\.onnx: the model has no masked-language head.*fill-mask/,
      ModelError,
      verbaliser,
    );
  });
});
