import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stream, type PromptPlan } from '@dynaprompt/core';
import { findPatchEmbedding, prepareGraph } from '@dynaprompt/onnx-autodiff';
import { openVisionBackbone, type VisionExample } from '@dynaprompt/vision';
import sharp from 'sharp';
import { machine, measureInTurn, round } from './measure.js';

export interface VisionOptions {
  /** ONNX file of a ViT with `pixel_values` of 224 × 224. */
  readonly model: string;
  readonly batch: number;
  readonly slots: number;
  readonly rounds: number;
}

/** Size of the pictures, that of photographs in common sets. */
const PICTURE = { width: 500, height: 375 };

/**
 * Times a training step whose pictures are decoded, cropped at random and resized while the step before runs, against the bare step
 * on finished pixel values.
 */
export async function benchVision({ model, batch, slots, rounds }: VisionOptions): Promise<unknown> {
  const folder = folderAround(model);
  try {
    const backbone = await openVisionBackbone(folder, {
      head: { kind: 'linear', classes: 2 },
      reserve: slots,
      cacheBytes: 0,
      augmentation: { seed: 1 },
    });
    const pictures = await writePictures(folder, batch);
    const { width } = backbone;
    const plan: PromptPlan = {
      batch,
      slots,
      width,
      prompts: await repeated(backbone.promptRows(slots, 0), batch),
      position: { mode: 'split', candidates: slots + 1, choice: new Int32Array(batch).fill(slots) },
      gates: undefined,
    };
    const head = backbone.initialHead(1);
    const labels = Int32Array.from({ length: batch }, (_, index) => index % 2);
    const step = (examples: readonly VisionExample[]): Promise<unknown> =>
      backbone.differentiate({ examples, labels }, plan, head, { position: false, gates: false });

    const finished = pictures.map((picture) => ({ ...picture, pixelValues: noise(3 * 224 * 224) }));
    let index = 0;
    const drawn = (): VisionExample[] =>
      pictures.map((picture) => ({ ...picture, draw: { epoch: 0, index: index++ } }));
    let upcoming = drawn();
    await backbone.prepare?.(upcoming);
    const timings = await measureInTurn(
      {
        bare: () => step(finished),
        async loaded() {
          const current = upcoming;
          upcoming = drawn();
          const prepared = Promise.resolve(backbone.prepare?.(upcoming));
          await step(current);
          await prepared;
        },
      },
      rounds,
    );
    const { parameters } = backbone.description;
    await backbone.release();
    return {
      benchmark: 'vision',
      model,
      parameters,
      shape: { batch, slots, width, picture: PICTURE },
      milliseconds: timings,
      ratios: { loadedToBare: round(timings.loaded.median / timings.bare.median) },
      machine: machine(),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A backbone folder around a bare ONNX file of a ViT. */
function folderAround(model: string): string {
  const { width } = findPatchEmbedding(prepareGraph(model));
  const folder = mkdtempSync(join(tmpdir(), 'dynaprompt-bench-'));
  mkdirSync(join(folder, 'onnx'));
  symlinkSync(resolve(model), join(folder, 'onnx', 'model.onnx'));
  const config = { model_type: 'vit', hidden_size: width, image_size: 224, patch_size: 16 };
  const processor = {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    do_rescale: true,
    do_normalize: true,
    size: { height: 224, width: 224 },
    resample: 2,
    rescale_factor: 1 / 255,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(processor));
  return folder;
}

/** JPEG files with the grain of photographs. */
async function writePictures(folder: string, count: number): Promise<VisionExample[]> {
  const { width, height } = PICTURE;
  const pictures: VisionExample[] = [];
  for (let picture = 0; picture < count; picture++) {
    const random = stream(picture, 'bench pictures');
    const pixels = Uint8Array.from({ length: width * height * 3 }, (_, index) => {
      const [row, column] = [Math.floor(index / 3 / width), Math.floor(index / 3) % width];
      return 128 + 80 * Math.sin((row + picture) / 30) * Math.cos(column / 40) + 20 * random.normal();
    });
    const path = join(folder, `${picture}.jpg`);
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toFile(path);
    pictures.push({ id: path, image: { kind: 'file', path } });
  }
  return pictures;
}

function noise(count: number): Float32Array {
  const random = stream(1, 'bench pixel values');
  return new Float32Array(count).map(() => random.normal());
}

async function repeated(rows: Promise<Float32Array>, times: number): Promise<Float32Array> {
  const values = await rows;
  return Float32Array.from(
    { length: values.length * times },
    (_, index) => values[index % values.length] ?? 0,
  );
}
