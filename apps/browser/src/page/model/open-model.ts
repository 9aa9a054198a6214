import { AutoTokenizer, env, type PreTrainedTokenizer } from '@huggingface/transformers';
import * as onnxruntime from 'onnxruntime-web/wasm';

import { ownTokens, type TokenReader } from '../sequence/own-tokens.js';
import type { Choice, Layout } from '../sequence/place-prompt.js';
import { type ModelDescription, readDescription } from './description.js';
import { download, downloadJson, type Progress } from './download.js';
import { PageError } from './page-error.js';
import { probabilitiesOf } from './probabilities.js';
import { tokenReaderOf } from './token-reader.js';

/** What a model says of a text. */
export interface Answer {
  /** Probability of every class, in the order of the labels; of a model that answers by a number, that number. */
  readonly values: readonly number[];
  /** What was chosen; undefined where the export does not give it out. */
  readonly choice: Choice | undefined;
  /** Tokens as the vocabulary spells them, without the prompt. */
  readonly tokens: readonly string[];
  readonly layout: Layout;
  /** The text had more tokens than the model takes. */
  readonly isCut: boolean;
  readonly milliseconds: number;
}

/** An exported model that is ready to answer. */
export interface OpenModel {
  readonly description: ModelDescription;
  answer(text: string, pair?: string): Promise<Answer>;
}

/**
 * Opens the model of a site.
 * @param site address of the site; its folders are `model` and `library`.
 * @throws PageError when a file cannot be had or used.
 */
export async function openModel(site: URL, progress: Progress): Promise<OpenModel> {
  const folder = new URL('model/', site);
  const description = readDescription(await downloadJson(new URL('dynamic_prompt.json', folder)));
  const tokenizer = await openTokenizer(site);
  const session = await openSession(site, folder, description, progress);
  const reader = tokenReaderOf(tokenizer, description.maximumTokens);
  const names = new Map([...tokenizer.get_vocab()].map(([token, id]) => [id, token]));
  return {
    description,
    async answer(text, pair) {
      const whole = reader.whole(text, pair);
      const start = performance.now();
      const outputs = await session.run(feedsOf(description.inputs, whole));
      const milliseconds = performance.now() - start;
      const logits = numbersOf(outputs, 'logits') ?? [];
      const { ids, layout } = ownTokens(reader, whole, description.template);
      return {
        values: description.answer === 'number' ? logits : probabilitiesOf(logits),
        choice: choiceOf(outputs),
        tokens: ids.map((id) => names.get(id) ?? `#${id}`),
        layout,
        isCut: wholeLength(reader, text, pair) > whole.ids.length,
        milliseconds,
      };
    },
  };
}

async function openTokenizer(site: URL): Promise<PreTrainedTokenizer> {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  // A path, not an address: addresses count as remote.
  env.localModelPath = site.pathname;
  // The browser's own cache asks whether a file is still the same; this one would not.
  env.useBrowserCache = false;
  try {
    return await AutoTokenizer.from_pretrained('model');
  } catch (cause) {
    throw unusable('The tokeniser cannot be opened', cause);
  }
}

async function openSession(
  site: URL,
  folder: URL,
  { data }: ModelDescription,
  progress: Progress,
): Promise<onnxruntime.InferenceSession> {
  // transformers.js points them to a host of its own when it is loaded.
  onnxruntime.env.wasm.wasmPaths = { wasm: new URL('library/ort-wasm-simd-threaded.wasm', site).href };
  // In a worker: the page stays usable while a model computes.
  onnxruntime.env.wasm.proxy = true;
  const files = ['model.onnx', ...data].map((name) => new URL(`onnx/${name}`, folder));
  const [graph = new Uint8Array(), ...weights] = await download(files, progress);
  try {
    return await onnxruntime.InferenceSession.create(graph, {
      executionProviders: ['wasm'],
      externalData: data.map((path, index) => ({ path, data: weights[index] ?? new Uint8Array() })),
    });
  } catch (cause) {
    throw unusable('The model cannot be opened', cause);
  }
}

/** Tokens of a text that nobody cuts, as far as they can tell that it was cut. */
function wholeLength({ bare, whole }: TokenReader, text: string, pair: string | undefined): number {
  const frame = pair === undefined ? whole('') : whole('', '');
  return frame.ids.length + bare(text).length + (pair === undefined ? 0 : bare(pair).length);
}

/** The inputs that a model wants, [1, tokens]. */
function feedsOf(
  inputs: readonly string[],
  { ids, types }: ReturnType<TokenReader['whole']>,
): Record<string, onnxruntime.Tensor> {
  const rows: Readonly<Record<string, readonly number[]>> = {
    input_ids: ids,
    attention_mask: ids.map(() => 1),
    token_type_ids: types ?? ids.map(() => 0),
  };
  return Object.fromEntries(
    inputs.map((name) => {
      const row = rows[name];
      if (row === undefined)
        throw new PageError(
          `The model wants an input ${name}`,
          'Export an encoder of texts; this page has no other inputs.',
        );
      return [name, new onnxruntime.Tensor('int64', BigInt64Array.from(row, BigInt), [1, row.length])];
    }),
  );
}

function choiceOf(outputs: onnxruntime.InferenceSession.OnnxValueMapType): Choice | undefined {
  const [position] = numbersOf(outputs, 'prompt_position') ?? [];
  const [length] = numbersOf(outputs, 'prompt_length') ?? [];
  return position === undefined || length === undefined ? undefined : { position, length };
}

function numbersOf(
  outputs: onnxruntime.InferenceSession.OnnxValueMapType,
  name: string,
): number[] | undefined {
  const tensor = outputs[name];
  return tensor && Array.from(tensor.data as Iterable<number | bigint>, Number);
}

function unusable(problem: string, cause: unknown): PageError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PageError(`${problem}: ${reason}`, 'Export the model again and build the site anew.', cause);
}
