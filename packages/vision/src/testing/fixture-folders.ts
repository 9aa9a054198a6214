import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nullThrows, type ImageExample } from '@dynaprompt/core';
import {
  DataType,
  Emitter,
  float32,
  floatsOf,
  Graph,
  openSession,
  tensorBytes,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { normals } from './plans.js';

const fixtures = fileURLToPath(new URL('../../../onnx-autodiff/fixtures', import.meta.url));

/** Side of the fixtures' pictures, pixels; patches of 6 × 6 make 16. */
export const SIDE = 24;
export const PATCHES = 16;
export const WIDTH = 24;
/** Rows of registers in the fixture that has some. */
export const REGISTERS = 3;

/** A small model with random weights in a published architecture. */
export interface FixtureModel {
  readonly family: string;
  /** Folder of the fixture. */
  readonly fixture: string;
  /** Its name in a backbone folder. */
  readonly file: string;
  /** Rows in front of the patches. */
  readonly special: number;
  /** Last hidden state's name in the file. */
  readonly hidden: string;
  /** What a linear head reads by default: the output or inner tensor of that name, or the class token of the hidden state. */
  readonly pooled?: string;
  readonly hasPositions: boolean;
  readonly hasClassifier: boolean;
}

const model = 'onnx/model.onnx';
const vit: FixtureModel = {
  family: 'vit',
  fixture: 'vit',
  file: model,
  special: 1,
  hidden: '/norm/Add_1_output_0',
  hasPositions: true,
  hasClassifier: true,
};
const bare = { ...vit, hidden: 'last_hidden_state', hasClassifier: false };
const clip = { ...bare, family: 'clip', fixture: 'clip-vision', file: 'onnx/vision_model.onnx' };

/** Vision models by a name for tests. */
export const VISION_MODELS = {
  vit,
  deit: { ...vit, family: 'deit', fixture: 'deit', special: 2 },
  beit: {
    ...vit,
    family: 'beit',
    fixture: 'beit',
    hidden: '/layer.1/Add_1_output_0',
    pooled: '/norm/Add_1_output_0',
    hasPositions: false,
  },
  dinov2: { ...bare, family: 'dinov2', fixture: 'dinov2' },
  'dinov2 with registers': {
    ...bare,
    family: 'dinov2_with_registers',
    fixture: 'dinov2',
    special: 1 + REGISTERS,
  },
  'clip, image tower': { ...clip, pooled: '/norm/Add_1_output_0' },
  'clip, both towers': {
    ...clip,
    fixture: 'clip',
    file: model,
    hidden: '/vision/layer.1/Add_1_output_0',
    pooled: '/vision/norm/Add_1_output_0',
  },
  'siglip, image tower': {
    ...clip,
    family: 'siglip',
    fixture: 'siglip-vision',
    special: 0,
    pooled: 'pooler_output',
  },
  'siglip, both towers': {
    ...clip,
    family: 'siglip',
    fixture: 'siglip',
    file: model,
    special: 0,
    hidden: '/vision/norm/LayerNormalization_output_0',
    pooled: '/vision/head/Gather_1_output_0',
  },
} as const satisfies Readonly<Record<string, FixtureModel>>;

/** Names of the classes of fixtures' classifiers. */
export const LABELS: readonly string[] = [
  'cat, house cat',
  'great dane',
  'crane, machine',
  'Fire_truck',
  'crane, bird',
];

/** Path of a fixture's own ONNX file. */
export function fixtureFile(fixture: string): string {
  return join(fixtures, fixture, 'model.onnx');
}

/** A new empty folder, and how to remove it. */
export function temporaryFolder(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'dynaprompt-vision-'));
  return {
    folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Writes a model as a backbone folder. */
export function writeFixture(folder: string, fixture: FixtureModel): string {
  const target = join(folder, fixture.file);
  mkdirSync(dirname(target), { recursive: true });
  if (fixture.family === 'dinov2_with_registers') writeWithRegisters(fixtureFile(fixture.fixture), target);
  else copyFileSync(fixtureFile(fixture.fixture), target);
  const id2label = Object.fromEntries(LABELS.map((label, index) => [index, label]));
  const write = (file: string, value: object): void => {
    writeFileSync(join(folder, file), JSON.stringify(value));
  };
  write('config.json', { model_type: fixture.family, ...(fixture.hasClassifier ? { id2label } : {}) });
  write('preprocessor_config.json', {
    image_processor_type: 'ViTImageProcessor',
    size: { height: SIDE, width: SIDE },
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  });
  return folder;
}

/**
 * Puts constant rows behind the class token, after positions were added: x[:, :1], registers, x[:, 1:], as
 * Dinov2WithRegistersEmbeddings of transformers does.
 */
function writeWithRegisters(source: string, target: string): void {
  const graph = Graph.read(source);
  const sum = '/embeddings/Add_output_0';
  const emit = new Emitter(graph);
  const readers = graph.consumers(sum);
  const [one, axis, end] = [emit.ints(1), emit.ints(1), emit.ints(Number.MAX_SAFE_INTEGER)];
  const token = emit.op('Slice', [sum, emit.ints(0), one, axis]);
  const patches = emit.op('Slice', [sum, one, end, axis]);
  const registers = emit.floats(normals('registers', REGISTERS * WIDTH), [1, REGISTERS, WIDTH]);
  const shape = emit.concat([emit.extents('pixel_values', 0), emit.ints(REGISTERS, WIDTH)], 0);
  const joined = emit.concat([token, emit.op('Expand', [registers, shape]), patches], 1);
  for (const reader of readers)
    graph.setInputs(
      reader,
      reader.inputs.map((input) => (input === sum ? joined : input)),
    );
  for (const [name, tensor] of graph.initializers)
    graph.initializers.set(name, { ...tensor, data: { kind: 'bytes', bytes: tensorBytes(tensor).slice() } });
  writeFileSync(target, graph.serialize());
}

/** A picture of random pixels that is not resized. */
export function pictureOf(name: string, side = SIDE): ImageExample {
  const data = Uint8Array.from(normals(name, side * side * 3, 60), (value) =>
    Math.min(255, Math.max(0, 128 + value)),
  );
  return { id: name, image: { kind: 'pixels', width: side, height: side, channels: 3, data } };
}

/** What the model's own preprocessing makes of pictures that have its size: (v / 255 − ½) / ½, [B, 3, side, side]. */
export function pixelsOf(examples: readonly ImageExample[]): TensorValue {
  const planes = examples.flatMap(({ image }) => {
    if (image.kind !== 'pixels') throw new Error('no pixels');
    return [0, 1, 2].flatMap((channel) =>
      Array.from(
        image.data.filter((_, at) => at % 3 === channel),
        (value) => (value / 255 - 0.5) / 0.5,
      ),
    );
  });
  return float32(Float32Array.from(planes), [examples.length, 3, SIDE, SIDE]);
}

/** Runs a file as it is for pictures, with inner tensors as outputs too; other inputs are constant. */
export async function runFile(
  file: string,
  examples: readonly ImageExample[],
  inner: readonly string[],
): Promise<Readonly<Record<string, Float32Array>>> {
  const graph = Graph.read(file);
  graph.outputs.clear();
  for (const name of inner) graph.outputs.set(name, { name, dataType: DataType.float32, dims: undefined });
  graph.prune();
  for (const name of [...graph.inputs.keys()]) if (name !== 'pixel_values') graph.inputs.delete(name);
  const session = await openSession(graph, { threads: 1, optimization: 'disabled' });
  try {
    const results = await session.run({ pixel_values: pixelsOf(examples) });
    return Object.fromEntries(inner.map((name) => [name, floatsOf(nullThrows(results[name], name))]));
  } finally {
    await session.release();
  }
}
