import {
  createDynamicPrompt,
  featureStatistics,
  stream,
  type DynamicPrompt,
  type FrozenBackbone,
  type ParameterSet,
  type PromptConfigurationInput,
} from '@dynaprompt/core';
import { AutoTokenizer, type Tensor } from '@huggingface/transformers';
import { int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { miniBert } from '@dynaprompt/mini-models';
import type { TextExample } from '../tokenization/encode.js';

/** Texts and pairs of several lengths. */
export const TEXTS: readonly TextExample[] = [
  { text: 'a gorgeous , witty film' },
  { text: 'dull' },
  { text: 'the plot goes nowhere , and it takes two very long hours to get there' },
  { text: 'is it any good ?', pair: 'nobody in the hall was laughing .' },
  { text: 'well', pair: 'no' },
  { text: 'an actor of great charm in a picture without any', pair: 'what a pity !' },
];

/** A dynamic prompt whose parameters have all been moved, as training does, so that examples choose differently. */
export async function tunedPrompt(
  backbone: FrozenBackbone<TextExample>,
  configuration: PromptConfigurationInput,
  seed: number,
  texts: readonly TextExample[] = TEXTS,
): Promise<DynamicPrompt> {
  const prompt = await createDynamicPrompt(configuration, {
    width: backbone.width,
    seed,
    layers: backbone.description.layers,
    rows: (count, offset) => backbone.promptRows(count, offset),
    featureStatistics: featureStatistics(await backbone.features(texts), backbone.width),
  });
  move(prompt.parameters, seed);
  return prompt;
}

/** Adds seeded noise to every tensor, larger to what decides. */
export function move(parameters: ParameterSet, seed: number): void {
  for (const [name, { values }] of parameters) {
    const random = stream(seed, name);
    const scale = name.endsWith('.weight') ? 3 : name.endsWith('.bias') ? 0.5 : 0.05;
    values.forEach((value, index) => (values[index] = value + scale * random.normal()));
  }
}

/** Of mini-bert, loaded once. */
let loading: ReturnType<typeof AutoTokenizer.from_pretrained> | undefined;

/** Tokenises as transformers.js does: one batch, padded at the end, and `extra` columns of padding more. */
export async function tokenise(
  examples: readonly TextExample[],
  extra = 0,
): Promise<Record<string, TensorValue>> {
  const tokenizer = await (loading ??= AutoTokenizer.from_pretrained(miniBert, { local_files_only: true }));
  const encoded = examples.map(
    ({ text, pair }) =>
      tokenizer(text, { ...(pair === undefined ? {} : { text_pair: pair }) }) as Record<string, Tensor>,
  );
  const lengths = encoded.map(({ input_ids: ids }) => Number(ids?.dims[1]));
  const width = Math.max(...lengths) + extra;
  return Object.fromEntries(
    ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => {
      const values = new Int32Array(examples.length * width);
      encoded.forEach((row, index) => {
        values.set(Array.from(row[name]?.data as BigInt64Array, Number), index * width);
      });
      return [name, int64(values, [examples.length, width])];
    }),
  );
}
