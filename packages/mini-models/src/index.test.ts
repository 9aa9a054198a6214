import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { AutoModelForMaskedLM, AutoTokenizer, env, pipeline } from '@huggingface/transformers';
import { bundledModels, miniBert } from './index.js';

beforeAll(() => {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(miniBert);
});

describe('mini-bert', () => {
  it('lies in an absolute folder with every file of the Hugging Face layout', () => {
    expect(isAbsolute(miniBert)).toBe(true);
    for (const file of ['README.md', 'config.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt']) {
      expect(statSync(join(miniBert, file)).size).toBeGreaterThan(0);
    }
    expect(statSync(join(miniBert, 'onnx', 'model.onnx')).size).toBeGreaterThan(21_000_000);
  });

  it('is what the catalogue says', () => {
    const config = JSON.parse(readFileSync(join(miniBert, 'config.json'), 'utf8')) as {
      model_type: string;
      max_position_embeddings: number;
    };
    expect(config.model_type).toBe(bundledModels['mini-bert'].family);
    expect(config.max_position_embeddings).toBe(bundledModels['mini-bert'].maximumTokens);
    expect(readFileSync(join(miniBert, 'README.md'), 'utf8')).toContain('license: apache-2.0');
  });

  it('fills masks with sensible words through the stock transformers.js pipeline', async () => {
    const fillMask = await pipeline('fill-mask', basename(miniBert), {
      dtype: bundledModels['mini-bert'].dtype,
      local_files_only: true,
    });
    const answers = await fillMask('this movie is really [MASK] .', { top_k: 3 });
    const words = answers.flat().map((answer) => answer.token_str);
    expect(words).toEqual(['bad', 'good', 'funny']);
    await fillMask.dispose();
  });

  it('gives logits of [B, T, vocabulary] for a padded batch', async () => {
    const options = { dtype: 'fp32', local_files_only: true } as const;
    const tokenizer = await AutoTokenizer.from_pretrained('mini-bert', options);
    const model = await AutoModelForMaskedLM.from_pretrained('mini-bert', options);
    const inputs = tokenizer(['a short one', 'a somewhat longer sentence'], { padding: true }) as {
      input_ids: { dims: number[] };
    };
    const { logits } = (await model(inputs)) as { logits: { dims: number[] } };
    expect(logits.dims).toEqual([...inputs.input_ids.dims, 8192]);
    await model.dispose();
  });
});
