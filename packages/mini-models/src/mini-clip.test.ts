import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AutoTokenizer,
  env,
  pipeline,
  RawImage,
  Tensor,
  type ZeroShotImageClassificationPipeline,
} from '@huggingface/transformers';
import sharp from 'sharp';
import { bundledModels, miniClip } from './index.js';

interface HeldOut {
  readonly source: string;
  readonly file: string;
  readonly caption: string;
  readonly group: string;
}

const { name, heldOut, imageSize, maximumTokens, parameters, family, dtype } = bundledModels['mini-clip'];
const pairs = JSON.parse(readFileSync(heldOut, 'utf8')) as readonly HeldOut[];
const drawings = pairs.filter(({ source }) => source === 'openmoji');
const openMoji = dirname(createRequire(import.meta.url).resolve('openmoji/package.json'));

beforeAll(() => {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(miniClip);
});

describe('mini-clip', () => {
  it('has every file of the Hugging Face layout, and its model once', () => {
    const files = ['README.md', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'];
    for (const file of files) expect(statSync(join(miniClip, file)).size).toBeGreaterThan(0);
    // Four bytes for each weight and 1% of graph: no second copy of a tower.
    const { size } = statSync(join(miniClip, 'onnx', 'model.onnx'));
    expect(size).toBeGreaterThan(4 * parameters);
    expect(size).toBeLessThan(1.01 * 4 * parameters);
  });

  it('is what the catalogue says', () => {
    const config = JSON.parse(readFileSync(join(miniClip, 'config.json'), 'utf8')) as {
      model_type: string;
      text_config: { max_position_embeddings: number };
      vision_config: { image_size: number };
    };
    expect(config.model_type).toBe(family);
    expect(config.text_config.max_position_embeddings).toBe(maximumTokens);
    expect(config.vision_config.image_size).toBe(imageSize);
  });

  it('names what its training pictures are licensed under', () => {
    const card = readFileSync(join(miniClip, 'README.md'), 'utf8');
    for (const text of ['license: apache-2.0', 'OpenMoji', 'CC BY-SA 4.0', 'Tux Paint', 'GPL-2']) {
      expect(card).toContain(text);
    }
  });

  it('holds out 256 pairs, those of OpenMoji with pictures of its npm package', () => {
    expect(pairs).toHaveLength(256);
    expect(new Set(pairs.map(({ source, file }) => `${source}/${file}`)).size).toBe(256);
    expect(drawings).toHaveLength(173);
    for (const { file } of drawings)
      expect(statSync(join(openMoji, 'color', 'svg', file)).size).toBeGreaterThan(0);
  });
});

describe('the stock pipeline', () => {
  let classify: ZeroShotImageClassificationPipeline;

  beforeAll(async () => {
    classify = await pipeline('zero-shot-image-classification', name, { dtype, local_files_only: true });
  });

  afterAll(() => classify.dispose());

  /** The best of some labels for a held-out picture. */
  async function best(caption: string, labels: readonly string[]): Promise<string | undefined> {
    const [answer] = await classify(await pictureOf(caption), [...labels], { hypothesis_template: '{}' });
    return answer?.label;
  }

  it('tells animals that it never saw apart by their captions', async () => {
    const captions = ['cat', 'rooster', 'tiger', 'pig face'];
    for (const caption of captions) expect(await best(caption, captions)).toBe(caption);
  });

  it('knows the kinds of pictures by single words', async () => {
    const kinds = ['face', 'flag', 'arrow', 'animal'];
    expect(await best('enraged face', kinds)).toBe('face');
    expect(await best('flag: Guinea', kinds)).toBe('flag');
    expect(await best('down arrow', kinds)).toBe('arrow');
    expect(await best('rooster', kinds)).toBe('animal');
  });

  it('gives text embeddings that padding does not change, near for like texts', async () => {
    const short = await textEmbeddings(classify, 8);
    const long = await textEmbeddings(classify, maximumTokens);
    const differences = short.flat().map((value, index) => Math.abs(value - (long.flat()[index] ?? NaN)));
    expect(Math.max(...differences)).toBeLessThan(1e-5);
    const [cat, kitten, flag] = short.map(normalised);
    expect(dot(cat, cat)).toBeCloseTo(1, 5);
    expect(dot(cat, kitten)).toBeGreaterThan(dot(cat, flag) + 0.5);
  });
});

/** A held-out OpenMoji picture on white, the background that a picture without transparency has. */
async function pictureOf(caption: string): Promise<RawImage> {
  const file = drawings.find((drawing) => drawing.caption === caption)?.file;
  if (file === undefined) throw new Error(`"${caption}" is not held out`);
  const { data, info } = await sharp(join(openMoji, 'color', 'svg', file))
    .resize(128, 128)
    .flatten({ background: '#ffffff' })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return new RawImage(new Uint8ClampedArray(data), info.width, info.height, 3);
}

/** [3, 128] of three texts, padded to `length` tokens. */
async function textEmbeddings(
  { model }: ZeroShotImageClassificationPipeline,
  length: number,
): Promise<readonly number[][]> {
  const tokenizer = await AutoTokenizer.from_pretrained(name, { local_files_only: true });
  const texts = tokenizer(['a cat', 'a kitten', 'the flag of France'], {
    padding: 'max_length',
    max_length: length,
    truncation: true,
  }) as Readonly<Record<string, Tensor>>;
  const blank = new Tensor('float32', new Float32Array(3 * imageSize ** 2), [1, 3, imageSize, imageSize]);
  const { text_embeds: embeddings } = (await model({ ...texts, pixel_values: blank })) as {
    text_embeds: Tensor;
  };
  return embeddings.tolist() as number[][];
}

function normalised(vector: readonly number[]): readonly number[] {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / length);
}

function dot(first: readonly number[] = [], second: readonly number[] = []): number {
  return first.reduce((sum, value, index) => sum + value * (second[index] ?? 0), 0);
}
