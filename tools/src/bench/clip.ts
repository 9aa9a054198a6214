import { openClip, type VisionExample } from '@dynaprompt/clip';
import { stream, type FrozenBackbone, type PromptPlan } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import { machine, measureInTurn, round } from './measure.js';

export interface ClipBenchOptions {
  /** Backbone folder or hub id of a dual encoder; the bundled one by default. */
  readonly backbone?: string;
  readonly batch: number;
  readonly classes: number;
  readonly slots: number;
  readonly rounds: number;
}

/** Side of the pictures, pixels. */
const SIDE = 64;

/**
 * Times training steps of a prompt in the text tower, embeddings of images known: of one whose classes are embedded once for all images
 * (CoOp), as it is and with four draws of its place, and of one that depends on the image (CoCoOp), in runs of many texts and of one
 * image's.
 */
export async function benchClip({ backbone: location, ...options }: ClipBenchOptions): Promise<unknown> {
  const { batch, classes, slots, rounds } = options;
  const classNames = Array.from({ length: classes }, (_, index) => `thing ${index + 1}`);
  const open = (own: object): Promise<FrozenBackbone<VisionExample>> =>
    openClip(location ?? miniClip, { classNames, reserve: slots, ...own });
  const backbones = {
    coop: await open({}),
    cocoop: await open({ conditioned: true }),
    cocoopByImage: await open({ conditioned: true, chunkRows: 1 }),
  };
  try {
    const { width, description } = backbones.coop;
    const [fixed, placed] = [0, 1].map((spread) => planFor(options, width, spread));
    if (!fixed || !placed) throw new TypeError('there are two plans');
    const examples = pictures(batch);
    const labels = Int32Array.from({ length: batch }, (_, index) => index % classes);
    const step = (backbone: FrozenBackbone<VisionExample>, plan: PromptPlan) => (): Promise<unknown> =>
      backbone.differentiate({ examples, labels }, plan, new Map(), { position: true, gates: false });
    const timings = await measureInTurn(
      {
        coop: step(backbones.coop, fixed),
        coopDrawn: step(backbones.coop, placed),
        cocoop: step(backbones.cocoop, placed),
        cocoopByImage: step(backbones.cocoopByImage, placed),
      },
      rounds,
    );
    const ratio = (name: keyof typeof timings): number => round(timings[name].median / timings.coop.median);
    return {
      benchmark: 'clip',
      backbone: description.name,
      parameters: description.parameters,
      shape: { batch, classes, slots, width },
      texts: { coop: classes, coopDrawn: Math.min(4, batch) * classes, cocoop: batch * classes },
      milliseconds: timings,
      ratios: {
        coopDrawnToCoop: ratio('coopDrawn'),
        cocoopToCoop: ratio('cocoop'),
        cocoopByImageToCoop: ratio('cocoopByImage'),
      },
      machine: machine(),
    };
  } finally {
    for (const backbone of Object.values(backbones)) await backbone.release();
  }
}

/** A prompt that is the same for all examples; its place is, too, or (1) another for each. */
function planFor({ batch, slots }: ClipBenchOptions, width: number, spread: number): PromptPlan {
  const random = stream(1, 'bench prompt');
  const row = Array.from({ length: slots * width }, () => 0.02 * random.normal());
  return {
    batch,
    slots,
    width,
    prompts: Float32Array.from({ length: batch * row.length }, (_, index) => row[index % row.length] ?? 0),
    position: {
      mode: 'split',
      candidates: slots + 1,
      choice: Int32Array.from({ length: batch }, (_, index) => (spread * index) % (slots + 1)),
    },
    gates: undefined,
  };
}

function pictures(count: number): readonly VisionExample[] {
  return Array.from({ length: count }, (_, index) => {
    const random = stream(index, 'bench pictures');
    const data = new Uint8Array(SIDE * SIDE * 3).map(() => 255 * random.uniform());
    return { id: `${index}`, image: { kind: 'pixels', width: SIDE, height: SIDE, channels: 3, data } };
  });
}
