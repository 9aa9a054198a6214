import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stream, type FrozenBackbone, type PromptPlan } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { DataType, Emitter, floatsOf, Graph, int64, openSession } from '@dynaprompt/onnx-autodiff';
import { openTextBackbone, type TextBackboneOptions, type TextExample } from '@dynaprompt/text';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { quantise, type Form, type QuantiseOptions } from './forms.js';

type Dtype = NonNullable<TextBackboneOptions['dtype']>;

interface Case {
  readonly dtype: Dtype;
  /** What the dtype adds to a file's name. */
  readonly suffix: string;
  readonly form: Form;
  readonly options?: QuantiseOptions;
  /** Least cosine of the gradient with that of the same model in float32. */
  readonly cosine: number;
}

/**
 * Quantised activations leave the gradient at 0.99 and more of float32's. What 4 bits cost beyond that is rounding of the
 * weights: beside the gradient of the rounded weights in float32 theirs is exact (see the llama and T5 cases).
 */
const cases: readonly Case[] = [
  { dtype: 'fp16', suffix: '_fp16', form: 'fp16', options: { halfInterface: true }, cosine: 0.9999 },
  { dtype: 'q8', suffix: '_quantized', form: 'q8', cosine: 0.99 },
  { dtype: 'int8', suffix: '_int8', form: 'q8', options: { perColumn: true }, cosine: 0.99 },
  { dtype: 'uint8', suffix: '_uint8', form: 'q8', options: { type: 'uint8' }, cosine: 0.99 },
  { dtype: 'q4', suffix: '_q4', form: 'q4', cosine: 0.96 },
  { dtype: 'q4f16', suffix: '_q4f16', form: 'q4f16', options: { tables: true }, cosine: 0.93 },
  { dtype: 'bnb4', suffix: '_bnb4', form: 'bnb4', cosine: 0.96 },
];

const fixtures = fileURLToPath(new URL('../../../packages/onnx-autodiff/fixtures/', import.meta.url));
const SLOTS = 6;
let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'dtypes-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

describe('mini-bert', () => {
  const examples: readonly TextExample[] = [
    { text: 'a gorgeous , witty film' },
    { text: 'dull from start to finish' },
    { text: 'the plot goes nowhere', pair: 'and it takes two hours' },
    { text: 'an actor of great charm' },
  ];
  const batch = { examples, labels: Int32Array.of(1, 0, 0, 1) };
  const head = { kind: 'verbalizer', template: '{text} It was {mask} .', words: ['bad', 'good'] } as const;
  const request = { position: true, gates: true };
  const folder = (): string => join(root, 'mini-bert');
  const open = (dtype?: Dtype): Promise<FrozenBackbone<TextExample>> =>
    openTextBackbone(folder(), { head, reserve: SLOTS, threads: 1, ...(dtype ? { dtype } : {}) });
  const forms = new Map<string, Promise<Uint8Array>>();
  let exact: FrozenBackbone<TextExample>;
  let plan: PromptPlan;
  beforeAll(async () => {
    mkdirSync(join(folder(), 'onnx'), { recursive: true });
    for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model.onnx'])
      cpSync(join(miniBert, file), join(folder(), file));
    exact = await open();
    plan = await planFor(exact, examples.length);
  });
  afterAll(() => exact.release());

  it.each(cases)('in $dtype', async ({ dtype, suffix, form, options, cosine }) => {
    const file = join(folder(), 'onnx', `model${suffix}.onnx`);
    writeFileSync(file, await quantised(form, options));
    const backbone = await open(dtype);
    // A table that is quantised for lookups stands in the file a second time, as the output layer.
    const isTwice = form === 'q8' || options?.tables === true;
    expect(backbone.description).toEqual({
      ...exact.description,
      dtype,
      revision: backbone.description.revision,
      parameters: exact.description.parameters + (isTwice ? 8192 * 256 : 0),
    });
    expect(backbone.description.revision).not.toBe(exact.description.revision);
    const [own, other] = [
      await backbone.differentiate(batch, plan, new Map(), request),
      await exact.differentiate(batch, plan, new Map(), request),
    ];
    expect(cosineOf(own.plan.prompts, other.plan.prompts)).toBeGreaterThan(cosine);
    expect(cosineOf(own.plan.gates, other.plan.gates)).toBeGreaterThan(cosine);
    expect(cosineOf(margins(own.logits), margins(other.logits))).toBeGreaterThan(0.99);
    const [predicted, expected] = [
      await backbone.predict(examples, plan, new Map()),
      await exact.predict(examples, plan, new Map()),
    ];
    expect(cosineOf(margins(predicted), margins(expected))).toBeGreaterThan(0.99);

    const squares = own.plan.prompts.reduce((sum, slope) => sum + slope * slope, 0);
    const rate = (0.1 * own.loss) / squares;
    const moved = plan.prompts.map((value, index) => value - rate * (own.plan.prompts[index] ?? 0));
    const next = await backbone.differentiate(batch, { ...plan, prompts: moved }, new Map(), request);
    expect(next.loss).toBeLessThan(own.loss);

    await expect(backbone.fineTuning?.()).rejects.toThrow(/reduced precision.*dtype fp32/);
    await backbone.release();
  });

  it.each(['fp16', 'q4'] as const)('answers in %s as the file does by itself', async (form) => {
    const dtype = form;
    const file = join(folder(), 'onnx', `model_${form}.onnx`);
    writeFileSync(file, await quantised(form));
    const backbone = await openTextBackbone(folder(), {
      head: { ...head, template: '{mask} {text}' },
      reserve: SLOTS,
      threads: 1,
      dtype,
    });
    const logits = await backbone.predict([{ text: 'it' }], undefined, new Map());
    const [cls = 0, it = 0, sep = 0, mask = 0, bad = 0, good = 0] = idsOf(
      '[CLS]',
      'it',
      '[SEP]',
      '[MASK]',
      'bad',
      'good',
    );
    const own = await outputOf(file, [cls, mask, it, sep]);
    const width = own.length / 4;
    for (const [index, id] of [bad, good].entries())
      expect(Math.abs((logits[index] ?? NaN) - (own[width + id] ?? NaN))).toBeLessThan(
        form === 'fp16' ? 0.02 : 1e-4,
      );
    await backbone.release();
  });

  it('reads weights from a file beside the model', async () => {
    const data = join(folder(), 'onnx', 'model_fp16.onnx_data');
    writeFileSync(data, await quantised('fp16'));
    const whole = join(folder(), 'onnx', 'model_fp16.onnx');
    cpSync(data, whole);
    const inside = await open('fp16');
    const logits = await inside.predict(examples, plan, new Map());
    await inside.release();
    // Initialisers of a graph that was read from a file are references into it.
    writeFileSync(whole, Graph.read(data).serialize());
    expect(readFileSync(whole).length).toBeLessThan(readFileSync(data).length / 10);
    const beside = await open('fp16');
    expect(await beside.predict(examples, plan, new Map())).toEqual(logits);
    await beside.release();
  });

  /** mini-bert in a form; made once, whoever asks for it. */
  function quantised(form: Form, options: QuantiseOptions = {}): Promise<Uint8Array> {
    const key = JSON.stringify([form, options]);
    const made = forms.get(key) ?? quantise(join(miniBert, 'onnx/model.onnx'), form, options);
    forms.set(key, made);
    return made;
  }

  /** Logits [T, vocabulary] of one sequence. */
  async function outputOf(file: string, ids: readonly number[]): Promise<Float32Array> {
    const graph = Graph.read(file);
    const name = [...graph.outputs.keys()][0] ?? '';
    graph.outputs.clear();
    new Emitter(graph).output('values', new Emitter(graph).cast(name, DataType.float32));
    const session = await openSession(graph, { threads: 1 });
    const dims = [1, ids.length];
    const { values } = await session.run({
      input_ids: int64(ids, dims),
      attention_mask: int64(
        ids.map(() => 1),
        dims,
      ),
      token_type_ids: int64(
        ids.map(() => 0),
        dims,
      ),
    });
    await session.release();
    return floatsOf(values);
  }

  function idsOf(...words: readonly string[]): number[] {
    const { model } = JSON.parse(readFileSync(join(miniBert, 'tokenizer.json'), 'utf8')) as {
      model: { vocab: Record<string, number> };
    };
    return words.map((word) => model.vocab[word] ?? -1);
  }
});

/** Families of several files, or with caches in half precision. */
const families = {
  llama: { files: { model: 'llama' }, config: { hidden_size: 32, max_position_embeddings: 32 } },
  t5: {
    files: { encoder_model: 't5-encoder', decoder_model: 't5-decoder' },
    config: { d_model: 24, n_positions: 32 },
  },
};

describe.each(Object.entries(families))('%s', (family, { files, config }) => {
  it.each(cases.filter(({ dtype }) => ['fp16', 'q8', 'q4'].includes(dtype)))(
    'in $dtype as with rounded weights in float32',
    async ({ dtype, suffix, form, options }) => {
      const folder = join(root, `${family}-${dtype}`);
      mkdirSync(join(folder, 'onnx'), { recursive: true });
      for (const [name, fixture] of Object.entries(files)) {
        const source = join(fixtures, fixture, 'model.onnx');
        const own = { blockSize: 16, ...options };
        const rounded = await quantise(source, form, { ...own, dequantised: true });
        writeFileSync(join(folder, 'onnx', `${name}.onnx`), rounded);
        writeFileSync(join(folder, 'onnx', `${name}${suffix}.onnx`), await quantise(source, form, own));
      }
      writeWords(folder, { model_type: family, ...config });
      const open = (chosen: Dtype): Promise<FrozenBackbone<TextExample>> =>
        openTextBackbone(folder, {
          head: { kind: 'verbalizer', template: '{text}', words: ['e e f', 'g h'] },
          reserve: SLOTS,
          threads: 1,
          dtype: chosen,
        });
      const [backbone, exact] = [await open(dtype), await open('fp32')];
      const examples = [{ text: 'a b c d' }, { text: 'e f' }];
      const plan = await planFor(exact, 2);
      const batch = { examples, labels: Int32Array.of(0, 1) };
      const request = { position: false, gates: true };
      const [own, other] = [
        await backbone.differentiate(batch, plan, new Map(), request),
        await exact.differentiate(batch, plan, new Map(), request),
      ];
      expect(cosineOf(own.plan.prompts, other.plan.prompts)).toBeGreaterThan(form === 'q8' ? 0.98 : 0.9999);
      const distance = Math.max(
        ...own.logits.map((value, index) => Math.abs(value - (other.logits[index] ?? NaN))),
      );
      expect(distance).toBeLessThan(form === 'q8' ? 0.3 : 1e-3);
      await backbone.release();
      await exact.release();
    },
  );
});

/** A folder's config.json, and a tokeniser of letters. */
function writeWords(folder: string, config: object): void {
  const special = { '[PAD]': 0, '[EOS]': 1, '[UNK]': 2 };
  const letters = Array.from(
    { length: 26 },
    (_, index) => [String.fromCharCode(97 + index), index + 3] as const,
  );
  const write = (file: string, value: object): void => {
    writeFileSync(join(folder, file), JSON.stringify(value));
  };
  write('config.json', config);
  write('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizer',
    pad_token: '[PAD]',
    unk_token: '[UNK]',
  });
  write('tokenizer.json', {
    version: '1.0',
    added_tokens: Object.entries(special).map(([content, id]) => ({ id, content, special: true })),
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: { ...special, ...Object.fromEntries(letters) },
    },
  });
}

/** Prompts that start from words, with gates between 0 and 1. */
async function planFor(backbone: FrozenBackbone<TextExample>, batch: number): Promise<PromptPlan> {
  const { width } = backbone;
  const random = stream(5, 'gates');
  return {
    batch,
    slots: SLOTS,
    width,
    prompts: await backbone.promptRows(batch * SLOTS, 0),
    position: {
      mode: 'split',
      candidates: SLOTS + 1,
      choice: Int32Array.from({ length: batch }, (_, index) => index % SLOTS),
    },
    gates: Float32Array.from({ length: batch * SLOTS }, () => 0.5 + 0.5 * random.uniform()),
  };
}

/** Differences of the two classes' logits. */
function margins(logits: Float32Array): Float32Array {
  return Float32Array.from(
    { length: logits.length / 2 },
    (_, row) => (logits[2 * row + 1] ?? NaN) - (logits[2 * row] ?? NaN),
  );
}

function cosineOf(a: Float32Array | undefined, b: Float32Array | undefined): number {
  let [product, squareOfA, squareOfB] = [0, 0, 0];
  a?.forEach((value, index) => {
    const other = b?.[index] ?? NaN;
    product += value * other;
    squareOfA += value * value;
    squareOfB += other * other;
  });
  return product / Math.sqrt(squareOfA * squareOfB);
}
