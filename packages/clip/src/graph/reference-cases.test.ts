import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { decodeSafetensors, type PromptPlan } from '@dynaprompt/core';
import {
  findPatchEmbedding,
  float32,
  floatsOf,
  injectPrompts,
  int64,
  openSession,
  prepareGraph,
  tensorValues,
} from '@dynaprompt/onnx-autodiff';
import { openPixels, parsePreprocessor } from '@dynaprompt/vision';
import { DualEncoder } from '../dual/dual-encoder.js';
import type { DualAnswer, StepImages } from '../dual/dual-step.js';
import { unitRows } from '../dual/unit-rows.js';
import { readLogitScale } from '../folder/logit-scale.js';
import { along, at, crossEntropy, derivative, distance, inner, relativeError } from '../testing/numbers.js';
import { normals } from '../testing/plans.js';
import { slotRow } from '../testing/slot-rows.js';
import type { TokenRow } from '../towers/text-batch.js';
import { readTextTower } from '../towers/text-tower.js';
import { readVisionTower } from '../towers/vision-tower.js';

const SIDE = 24;
const WIDTH = 24;

function plan(prompts: Float32Array, batch: number): PromptPlan {
  const slots = prompts.length / batch / WIDTH;
  const choice = new Int32Array(batch).fill(slots);
  return {
    batch,
    slots,
    width: WIDTH,
    prompts,
    position: { mode: 'split', candidates: slots + 1, choice },
    gates: undefined,
  };
}

it.each([
  ['clip', ''],
  ['clip', '1.'],
  ['siglip', ''],
  ['siglip', '1.'],
])('%s %s: loss and gradients of prompts in both towers are those of torch', async (name, prefix) => {
  const folder = fileURLToPath(new URL(`../../../onnx-autodiff/fixtures/${name}/`, import.meta.url));
  const file = `${folder}model.onnx`;
  const { tensors } = decodeSafetensors(readFileSync(`${folder}case.safetensors`), name);
  const read = (tensor: string): { shape: readonly number[]; values: ArrayLike<number> } => {
    const found = tensors.get(prefix + tensor);
    if (!found) throw new Error(`${name} has no ${prefix}${tensor}`);
    return { shape: found.shape, values: Array.from(found.values, Number) };
  };
  const floats = (tensor: string): Float32Array => Float32Array.from(Array.from(read(tensor).values));
  const ids = read('input_ids');
  const [texts = 0, length = 0] = ids.shape;
  const config = {
    name,
    processor: 'CLIP',
    isCausal: name === 'clip',
    fillsUp: name === 'siglip',
    positions: 24,
    logitScale: 0,
    maximumTokens: length,
  };
  const text = readTextTower(file, config);
  const size = { height: SIDE, width: SIDE };
  const vision = readVisionTower(file, size);
  const preprocessor = parsePreprocessor({ size, image_processor_type: 'SiglipImageProcessor' }, 'test');
  const encoder = new DualEncoder({
    name,
    text,
    vision,
    width: WIDTH,
    padId: 1,
    pixels: openPixels(preprocessor, {}),
    source: { kind: 'plan' },
    options: { reserve: 3, threads: 1 },
  });

  const front = 3;
  const rows = Array.from({ length: texts }, (_, row): TokenRow => {
    const own = Array.from({ length }, (_, token) => at(ids.values, row * length + token)).slice(front);
    // The end of a text is its highest id; what follows is padding.
    const end = name === 'clip' ? own.indexOf(63) + 1 : own.length;
    return { ids: own.slice(0, end), layout: { before: 0, content: end, after: 0 } };
  });
  const labels = read('labels').values;
  const pictures = Array.from({ length: labels.length }, (_, row) => ({
    id: `${row}`,
    image: { kind: 'bytes', bytes: new Uint8Array() } as const,
    pixelValues: floats('pixel_values').slice(row * 3 * SIDE ** 2, (row + 1) * 3 * SIDE ** 2),
  }));
  // The reference gives prompts no positions: what a slot gives is taken off before.
  const table = patchPositions(file, vision.patches.special);
  const given = floats('prompt_embeddings.pixel_values');
  const bare = given.map((value, index) => {
    const slot = Math.floor(index / WIDTH) % 2;
    return value - at(slotRow(table, WIDTH, slot, 2), index % WIDTH);
  });
  const textPlan = plan(floats('prompt_embeddings.input_ids'), texts);
  const step = (images: StepImages): Promise<DualAnswer> =>
    encoder.differentiate({
      texts: { rows, plan: textPlan },
      images,
      head: {
        scoring: 'shared',
        logitScale: readLogitScale(prepareGraph(file)) ?? { scale: NaN, bias: NaN },
        trainsScale: false,
        classes: texts,
        width: WIDTH,
        reads: { images: true, texts: true },
      },
      headValues: new Map(),
      feeds: { labels: int64(labels, [labels.length]) },
      request: { position: false, gates: false },
    });
  const whole = await step({ examples: pictures, plan: plan(bare, pictures.length) });
  // SigLIP's reference pools prompts with the patches, which this package does not: its images are those of the bare graph.
  const answer =
    name === 'clip'
      ? whole
      : await step({
          embeddings: unitRows(await pooledWithPrompts(file, floats('pixel_values'), given), WIDTH),
        });
  expect(distance(answer.step.logits, read('logits').values)).toBeLessThan(1e-5);
  expect(Math.abs(answer.step.loss - at(read('loss').values, 0))).toBeLessThan(1e-6);
  expect(relativeError(answer.text?.prompts ?? [], floats('prompt_gradient.input_ids'))).toBeLessThan(1e-5);
  if (name === 'clip')
    expect(relativeError(whole.vision?.prompts ?? [], floats('prompt_gradient.pixel_values'))).toBeLessThan(
      1e-5,
    );
  const direction = normals('direction', bare.length, 0.1);
  const numeric = await derivative(async (by) => {
    const images = { examples: pictures, plan: plan(along(bare, direction, by), pictures.length) };
    return crossEntropy((await step(images)).step.logits, labels);
  }, 0.3);
  expect(Math.abs(inner(whole.vision?.prompts ?? [], direction) - numeric)).toBeLessThan(
    1e-2 * Math.abs(numeric) + 1e-4,
  );
  await encoder.release();
});

/** Embeddings [B, d] of images with prompts in front of their patches, all of which are pooled. */
async function pooledWithPrompts(
  file: string,
  pixels: Float32Array,
  prompts: Float32Array,
): Promise<Float32Array> {
  const graph = prepareGraph(file);
  const { tensor } = findPatchEmbedding(graph);
  injectPrompts(graph, tensor, WIDTH);
  for (const name of [...graph.outputs.keys()]) if (name !== 'image_embeds') graph.outputs.delete(name);
  graph.prune();
  graph.inputs.delete('input_ids');
  const session = await openSession(graph, { threads: 1 });
  const batch = pixels.length / (3 * SIDE ** 2);
  const rows = 16 + 2;
  const results = await session.run({
    pixel_values: float32(pixels, [batch, 3, SIDE, SIDE]),
    prompt_embeddings: float32(prompts, [batch, 2, WIDTH]),
    prompt_order: int64(
      Array.from({ length: batch * rows }, (_, index) => index % rows),
      [batch, rows],
    ),
  });
  await session.release();
  return floatsOf(results.image_embeds);
}

/** [n, d] position embeddings of the patches. */
function patchPositions(file: string, special: number): Float32Array {
  const graph = prepareGraph(file);
  const table = [...graph.initializers.values()].find(({ name }) =>
    name.includes('vision.embeddings.position.weight'),
  );
  if (!table) throw new Error(`${file} has no positions of patches`);
  return Float32Array.from(tensorValues(table), Number).slice(special * WIDTH);
}
