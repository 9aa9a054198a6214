import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { env, pipeline, RawImage, type ZeroShotImageClassificationPipeline } from '@huggingface/transformers';
import { bundledModels, miniClip } from '@dynaprompt/mini-models';
import { decodeImage, type VisionExample } from '@dynaprompt/vision';
import { unitRows } from '../dual/unit-rows.js';
import { at, distance } from '../testing/numbers.js';
import { openClipProbe } from './open-clip-probe.js';
import { openClip, type ClipBackbone } from './open-clip.js';

const openMoji = dirname(createRequire(import.meta.url).resolve('openmoji/package.json'));
const classNames = ['cat', 'flag', 'down arrow', 'enraged face'];
const options = { classNames, reserve: 4, threads: 1 };

/** Held-out drawings of the classes, as pixels. */
async function drawings(): Promise<readonly VisionExample[]> {
  const { heldOut } = bundledModels['mini-clip'];
  const pairs = JSON.parse(readFileSync(heldOut, 'utf8')) as readonly {
    readonly source: string;
    readonly file: string;
    readonly caption: string;
  }[];
  const captions = ['cat', 'flag: Guinea', 'down arrow', 'enraged face'];
  return Promise.all(
    captions.map(async (caption) => {
      const file = pairs.find((pair) => pair.source === 'openmoji' && pair.caption === caption)?.file ?? '';
      const path = join(openMoji, 'color', 'svg', file);
      const image = await decodeImage(
        { id: caption, image: { kind: 'file', path } },
        { alpha: 'white', target: () => ({ width: 64, height: 64 }) },
      );
      return { id: caption, image: { kind: 'pixels', channels: 3, ...image } };
    }),
  );
}

describe('without a prompt', () => {
  let backbone: ClipBackbone;
  let classify: ZeroShotImageClassificationPipeline;
  let examples: readonly VisionExample[];
  beforeAll(async () => {
    env.allowRemoteModels = false;
    env.localModelPath = dirname(miniClip);
    examples = await drawings();
    classify = await pipeline('zero-shot-image-classification', 'mini-clip', {
      dtype: 'fp32',
      local_files_only: true,
    });
    backbone = await openClip(miniClip, { ...options, template: 'a {class}', resizer: 'transformers.js' });
  });
  afterAll(async () => {
    await backbone.release();
    await classify.dispose();
  });

  it('logits are those of the zero-shot-image-classification pipeline of transformers.js', async () => {
    const logits = await backbone.predict(examples, undefined, new Map());
    for (const [row, { image }] of examples.entries()) {
      if (image.kind !== 'pixels') throw new Error('the drawings are pixels');
      const raw = new RawImage(new Uint8ClampedArray(image.data), image.width, image.height, 3);
      const answers = await classify(raw, classNames, { hypothesis_template: 'a {}' });
      const scores = classNames.map((_, label) => at(logits, row * classNames.length + label));
      const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
      classNames.forEach((name, label) => {
        const expected = answers.find(({ label: other }) => other === name)?.score ?? NaN;
        expect(Math.abs(Math.exp(at(scores, label)) / sum - expected)).toBeLessThan(1e-5);
      });
      expect(classNames[scores.indexOf(Math.max(...scores))]).toBe(answers[0]?.label);
    }
  });

  it('says what the text tower reads of each class, around a prompt or in words', async () => {
    const spelled = ({ classTexts }: ClipBackbone): readonly string[] =>
      classTexts.map(({ tokens }) => tokens.join(' ').replaceAll(' ##', ''));
    expect(spelled(backbone)).toEqual(classNames.map((name) => `[CLS] ${name} [SEP]`));
    const [text] = backbone.classTexts;
    expect(text?.layout).toEqual({ before: 1, content: (text?.tokens.length ?? 0) - 2, after: 1 });
    const template = ['a {class}', '{class}'];
    const inVision = await openClip(miniClip, { ...options, prompts: 'vision', template });
    expect(spelled(inVision)).toEqual(classNames.map((name) => `[CLS] a ${name} [SEP]`));
    await inVision.release();
  });

  it('several wordings count as the mean of their embeddings', async () => {
    const wordings = ['a {class}', 'an icon of a {class}'];
    const factor = Math.exp(2.778517007827759);
    const cosines = await Promise.all(
      wordings.map(async (template) => {
        const one = await openClip(miniClip, { ...options, template });
        const logits = await one.predict(examples, undefined, new Map());
        await one.release();
        return logits;
      }),
    );
    const both = await openClip(miniClip, { ...options, template: wordings });
    const logits = await both.predict(examples, undefined, new Map());
    await both.release();
    // cos(v, (a + b) / ‖a + b‖) = (cos(v, a) + cos(v, b)) / ‖a + b‖: one norm for each class.
    const ratios = logits.map(
      (logit, index) => logit / (at(cosines[0] ?? [], index) + at(cosines[1] ?? [], index)),
    );
    classNames.forEach((_, label) => {
      for (let row = 1; row < examples.length; row++)
        expect(at(ratios, row * classNames.length + label) / at(ratios, label)).toBeCloseTo(1, 3);
      expect(at(ratios, label)).toBeGreaterThan(0.5);
    });
    expect(Math.max(...logits)).toBeLessThan(factor);
  });

  it('features and pooled rows are the image embedding; a probe reads it unprojected', async () => {
    const { width } = backbone;
    const features = await backbone.features(examples);
    expect(features).toHaveLength(examples.length * width);
    const probe = await openClipProbe(miniClip, { classNames, threads: 1, resizer: 'transformers.js' });
    const rows = await probe.pooled(examples);
    expect(probe.width).toBe(128);
    expect(distance(rows, unitRows(rows, 128))).toBeLessThan(1e-6);
    // A random map keeps angles on average.
    const cosine = (values: Float32Array, size: number): number => {
      const unit = unitRows(values, size);
      return unit.slice(0, size).reduce((sum, value, index) => sum + value * at(unit, size + index), 0);
    };
    expect(Math.abs(cosine(features, width) - cosine(rows, 128))).toBeLessThan(0.2);
    const head = probe.initialHead(1);
    const weight = head.get('head.weight')?.values ?? new Float32Array();
    const logits = await probe.predict(examples, undefined, head);
    const expected = Array.from(
      { length: 128 },
      (_, index) => at(rows, 128 + index) * at(weight, 256 + index),
    );
    expect(at(logits, classNames.length + 2)).toBeCloseTo(
      expected.reduce((sum, value) => sum + value),
      5,
    );
    await probe.release();
  });
});
