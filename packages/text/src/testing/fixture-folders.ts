import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DataType,
  Graph,
  openSession,
  tensorBytes,
  type TensorValue,
  type ValueInfo,
} from '@dynaprompt/onnx-autodiff';

const fixtures = fileURLToPath(new URL('../../../onnx-autodiff/fixtures', import.meta.url));

/** Special tokens around texts, written as in `[CLS] A [SEP] B [SEP]`. */
export interface Frames {
  readonly single: string;
  readonly pair: string;
}

/** A model with random weights of a published family, as a backbone folder. */
export interface FixtureModel {
  /** Files in onnx/, by the fixture that they are. */
  readonly files: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly vocabulary?: number;
  readonly frames: Frames;
  /** Ids of special tokens; the others are words: a, b, and those of {@link wordOf}. */
  readonly special: Readonly<Record<string, number>>;
}

export const BERT_FRAMES: Frames = { single: '[CLS] A [SEP]', pair: '[CLS] A [SEP] B [SEP]' };
const bertTokens = { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, '[MASK]': 4 };
const robertaTokens = { '[CLS]': 0, '[PAD]': 1, '[SEP]': 2, '[UNK]': 3, '[MASK]': 4 };
const robertaFrames: Frames = { single: '[CLS] A [SEP]', pair: '[CLS] A [SEP] [SEP] B [SEP]' };
const llamaFrames: Frames = { single: '[BOS] A', pair: '[BOS] A [BOS] B' };
const llamaTokens = { '[UNK]': 0, '[BOS]': 1, '[EOS]': 2 };
const sizes = { hidden_size: 32, max_position_embeddings: 32 };

function encoder(
  fixture: string,
  config: Readonly<Record<string, unknown>>,
  isRoberta = false,
): FixtureModel {
  return {
    files: { 'model.onnx': fixture },
    config: { ...sizes, ...config },
    frames: isRoberta ? robertaFrames : BERT_FRAMES,
    special: isRoberta ? robertaTokens : bertTokens,
  };
}

function decoder(fixture: string, family: string, isBare = false): FixtureModel {
  return {
    files: { 'model.onnx': fixture },
    config: { ...sizes, n_embd: 32, n_positions: 32, model_type: family },
    frames: isBare ? { single: 'A', pair: 'A B' } : llamaFrames,
    special: llamaTokens,
  };
}

/** Encoders by fixture, with the last hidden state's name in the file. */
export const ENCODERS: Readonly<Record<string, FixtureModel & { readonly hidden: string }>> = {
  bert: { ...encoder('bert-14', { model_type: 'bert' }), hidden: '/layer.1/norm/Add_1_output_0' },
  roberta: {
    ...encoder('roberta', { model_type: 'roberta', pad_token_id: 1 }, true),
    hidden: '/layer.1/norm/Add_1_output_0',
  },
  distilbert: {
    ...encoder('distilbert', { model_type: 'distilbert', dim: 32 }),
    hidden: '/layer.1/norm/Add_1_output_0',
  },
  electra: {
    ...encoder('electra', { model_type: 'electra', embedding_size: 16 }),
    hidden: '/layer.1/norm/Add_1_output_0',
  },
  albert: {
    ...encoder('albert', { model_type: 'albert', embedding_size: 16 }),
    hidden: '/layer/norm_2/Add_1_output_0',
  },
  mpnet: { ...encoder('mpnet', { model_type: 'mpnet', pad_token_id: 1 }, true), hidden: 'last_hidden_state' },
  'deberta-v2': {
    ...encoder('deberta-v2', { model_type: 'deberta-v2', hidden_size: 24 }),
    hidden: '/layer.1/norm_2/LayerNormalization_output_0',
  },
  'deberta-v3': {
    ...encoder('deberta-v3', { model_type: 'deberta-v2', hidden_size: 24 }),
    hidden: '/layer.1/norm_2/Add_1_output_0',
  },
  modernbert: {
    ...encoder('modernbert', { model_type: 'modernbert', hidden_size: 24 }),
    hidden: '/norm/Mul_output_0',
  },
};

export const DECODERS: Readonly<Record<string, FixtureModel>> = {
  gpt2: decoder('gpt2', 'gpt2', true),
  'gpt2, merged': {
    ...decoder('gpt2-merged', 'gpt2', true),
    files: { 'decoder_model_merged.onnx': 'gpt2-merged' },
  },
  opt: { ...decoder('opt', 'opt'), config: { ...sizes, model_type: 'opt', word_embed_proj_dim: 16 } },
  llama: decoder('llama', 'llama'),
  mistral: decoder('mistral', 'mistral'),
  qwen2: decoder('qwen2', 'qwen2', true),
  qwen3: decoder('qwen3-opset21', 'qwen3', true),
};

export const T5: FixtureModel = {
  files: { 'encoder_model.onnx': 't5-encoder', 'decoder_model.onnx': 't5-decoder' },
  config: { model_type: 't5', d_model: 24, n_positions: 32, decoder_start_token_id: 0 },
  frames: { single: 'A [EOS]', pair: 'A [EOS] B [EOS]' },
  special: { '[PAD]': 0, '[EOS]': 1, '[UNK]': 2 },
};

const bartTokens = { '[BOS]': 0, '[PAD]': 1, '[EOS]': 2, '[UNK]': 3, '[MASK]': 4 };
const bartSizes = { d_model: 24, max_position_embeddings: 32, pad_token_id: 1 };
const BART: FixtureModel = {
  files: { 'encoder_model.onnx': 'bart-encoder', 'decoder_model.onnx': 'bart-decoder' },
  config: { ...bartSizes, model_type: 'bart', decoder_start_token_id: 2 },
  frames: { single: '[BOS] A [EOS]', pair: '[BOS] A [EOS] [EOS] B [EOS]' },
  special: bartTokens,
};

/** Encoders with decoders. mBART as of 25 languages: the language's token ends a text and begins an answer. */
export const SEQ2SEQ: Readonly<Record<string, FixtureModel>> = {
  t5: T5,
  't5, merged': { ...T5, files: mergedFiles('t5') },
  bart: BART,
  'bart, merged': { ...BART, files: mergedFiles('bart') },
  mbart: {
    files: { 'encoder_model.onnx': 'mbart-encoder', 'decoder_model.onnx': 'mbart-decoder' },
    config: { ...bartSizes, model_type: 'mbart', decoder_start_token_id: 4 },
    frames: { single: 'A [EOS] [LANG]', pair: 'A [EOS] B [EOS] [LANG]' },
    special: { '[BOS]': 0, '[PAD]': 1, '[EOS]': 2, '[UNK]': 3, '[LANG]': 4 },
  },
};

function mergedFiles(name: string): FixtureModel['files'] {
  return {
    'encoder_model.onnx': `${name}-encoder`,
    'decoder_model_merged.onnx': `${name}-decoder-merged`,
  };
}

/** A word of a fixture's vocabulary by its id. */
export function wordOf(id: number): string {
  return `w${String.fromCharCode(97 + Math.floor(id / 26))}${String.fromCharCode(97 + (id % 26))}`;
}

/** A text of words with these ids. */
export function textOf(...ids: readonly number[]): string {
  return ids.map(wordOf).join(' ');
}

/** Path of a fixture's ONNX file. */
export function fixtureFile(name: string): string {
  return join(fixtures, name, 'model.onnx');
}

/** Writes a fixture as a backbone folder, with a tokeniser that takes whole words. */
export function writeFixture(folder: string, model: FixtureModel): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, fixture] of Object.entries(model.files)) {
    const target = join(folder, 'onnx', name);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(fixtureFile(fixture), target);
  }
  const write = (file: string, value: object): void => {
    writeFileSync(join(folder, file), JSON.stringify(value));
  };
  write('config.json', model.config);
  write('tokenizer.json', tokenizerOf(model));
  const named = Object.keys(model.special).map((token) => [
    `${token.slice(1, -1).toLowerCase()}_token`,
    token,
  ]);
  write('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizer',
    ...(Object.fromEntries(named) as Record<string, string>),
  });
  return folder;
}

function tokenizerOf({ vocabulary = 64, frames, special }: FixtureModel): object {
  const vocab: Record<string, number> = { ...special };
  const taken = new Set(Object.values(special));
  const free = Array.from({ length: vocabulary }, (_, id) => id).filter((id) => !taken.has(id));
  const [a = 0, b = 0, ...others] = free;
  Object.assign(vocab, { a, b });
  for (const id of others) vocab[wordOf(id)] = id;
  const template = (frame: string): object[] => {
    let type = 0;
    return frame.split(' ').map((piece) => {
      if (piece === 'B') type = 1;
      return piece === 'A' || piece === 'B'
        ? { Sequence: { id: piece, type_id: type } }
        : { SpecialToken: { id: piece, type_id: type } };
    });
  };
  return {
    version: '1.0',
    added_tokens: Object.entries(special).map(([content, id]) => ({ id, content, special: true })),
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: {
      type: 'TemplateProcessing',
      single: template(frames.single),
      pair: template(frames.pair),
      special_tokens: Object.fromEntries(
        Object.entries(special).map(([content, id]) => [
          content,
          { id: content, ids: [id], tokens: [content] },
        ]),
      ),
    },
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** Runs a file as it is, with some of its inner tensors as outputs too. */
export async function runFile(
  file: string,
  feeds: Readonly<Record<string, TensorValue>>,
  inner: readonly string[] = [],
): Promise<Record<string, TensorValue>> {
  const graph = Graph.read(file);
  for (const name of inner) graph.outputs.set(name, { name, dataType: DataType.float32, dims: undefined });
  const session = await openSession(graph, { threads: 1, optimization: 'disabled' });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** Splits a decoder's file into `embed_tokens.onnx` and a decoder of `inputs_embeds`, both in one folder. */
export function splitEmbeddings(source: string, folder: string, embeddings: string, width: number): void {
  mkdirSync(folder, { recursive: true });
  const decoder = Graph.read(source);
  const lookup = decoder.clone();
  lookup.outputs.clear();
  for (const name of [...lookup.inputs.keys()]) if (name !== 'input_ids') lookup.inputs.delete(name);
  lookup.replaceUses(embeddings, 'inputs_embeds');
  const producer = lookup.producer(embeddings);
  if (producer) lookup.setOutputs(producer, ['inputs_embeds']);
  const dims = ['batch_size', 'sequence_length', width];
  lookup.outputs.set('inputs_embeds', { name: 'inputs_embeds', dataType: DataType.float32, dims });
  const lookedUp = decoder.producer(embeddings);
  if (lookedUp) decoder.remove(lookedUp);
  decoder.inputs.delete('input_ids');
  decoder.inputs.set('inputs_embeds', { name: 'inputs_embeds', dataType: DataType.float32, dims });
  decoder.replaceUses(embeddings, 'inputs_embeds');
  writeGraphs(folder, { 'embed_tokens.onnx': lookup, 'decoder_model_merged.onnx': decoder });
}

/** Splits a file of an encoder with its decoder into `encoder_model.onnx` and `decoder_model.onnx`, both in one folder. */
export function splitDecoder(source: string, folder: string, width: number): void {
  mkdirSync(folder, { recursive: true });
  const memory = 'encoder_last_hidden_state';
  const states = 'encoder_hidden_states';
  const dims = ['batch_size', 'encoder_sequence_length', width];
  const encoder = Graph.read(source);
  const decoder = encoder.clone();
  encoder.outputs.clear();
  encoder.inputs.delete('decoder_input_ids');
  encoder.replaceUses(memory, 'last_hidden_state');
  const last = encoder.producer(memory);
  if (last) encoder.setOutputs(last, ['last_hidden_state']);
  encoder.outputs.set('last_hidden_state', { name: 'last_hidden_state', dataType: DataType.float32, dims });
  decoder.outputs.delete(memory);
  const rename = (from: string, to: string, info: Pick<ValueInfo, 'dataType' | 'dims'>): void => {
    decoder.inputs.delete(from);
    decoder.inputs.set(to, { name: to, ...info });
    decoder.replaceUses(from, to);
  };
  const ids = { dataType: DataType.int64, dims: ['batch_size', 'decoder_sequence_length'] };
  const mask = { dataType: DataType.int64, dims: ['batch_size', 'encoder_sequence_length'] };
  rename(memory, states, { dataType: DataType.float32, dims });
  decoder.prune();
  rename('attention_mask', 'encoder_attention_mask', mask);
  rename('decoder_input_ids', 'input_ids', ids);
  writeGraphs(folder, { 'encoder_model.onnx': encoder, 'decoder_model.onnx': decoder });
}

function writeGraphs(folder: string, graphs: Readonly<Record<string, Graph>>): void {
  for (const [name, graph] of Object.entries(graphs)) {
    graph.prune();
    for (const [tensor, value] of graph.initializers)
      graph.initializers.set(tensor, {
        ...value,
        data: { kind: 'bytes', bytes: tensorBytes(value).slice() },
      });
    writeFileSync(join(folder, name), graph.serialize());
  }
}
