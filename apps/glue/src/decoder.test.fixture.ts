import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const model = fileURLToPath(
  new URL('../../../packages/onnx-autodiff/fixtures/gpt2/model.onnx', import.meta.url),
);

/** Writes a GPT-2 of two layers with random weights as a backbone folder, whose tokens are up to 61 words. */
export async function writeDecoder(folder: string, words: readonly string[]): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await copyFile(model, join(folder, 'onnx', 'model.onnx'));
  const special = ['[UNK]', '[BOS]', '[EOS]'];
  const vocab = Object.fromEntries([...special, ...words].map((token, id) => [token, id] as const));
  const files = {
    'config.json': { model_type: 'gpt2', n_embd: 32, n_positions: 32 },
    'tokenizer.json': {
      version: '1.0',
      added_tokens: special.map((content, id) => ({ id, content, special: true })),
      normalizer: null,
      pre_tokenizer: { type: 'WhitespaceSplit' },
      post_processor: null,
      decoder: null,
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab,
      },
    },
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizer',
      unk_token: '[UNK]',
      bos_token: '[BOS]',
      eos_token: '[EOS]',
    },
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), JSON.stringify(content));
}
