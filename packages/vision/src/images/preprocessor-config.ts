import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ModelError, nullThrows } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { PROCESSOR_TYPES, processorFamily, type ProcessorDefaults } from './processor-types.js';
import { reasonOf } from './reason.js';
import type { ResampleCode } from './resample.js';

/** Height and width in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** How a picture becomes the input of one model: preprocessor_config.json with every spelling and default resolved. */
export interface PreprocessorConfig {
  /** Family of the image processor class, e.g. `CLIP`, `Bit`. */
  readonly processor: string;
  /** To this size whatever the aspect ratio, or the shorter edge to this length; absent where nothing is resized. */
  readonly resize?: Size | { readonly shortestEdge: number };
  readonly resample: ResampleCode;
  /** Centre crop, padded with 0 where the picture is smaller. */
  readonly crop?: Size;
  /** Pixels are multiplied by it; 1 where the config does not rescale. */
  readonly rescaleFactor: number;
  /** Per channel, after rescaling; 0 where the config does not normalise. */
  readonly mean: readonly [number, number, number];
  /** Per channel; 1 where the config does not normalise. */
  readonly std: readonly [number, number, number];
  /** Size of pixel_values. */
  readonly output: Size;
}

const edge = z.int().positive().max(8192);
const flag = z.boolean().nullish();
const perChannel = z.union([z.number(), z.array(z.number()).length(3)]).nullish();
const sizeSchema = z
  .union([
    edge,
    z.tuple([edge, edge]),
    z.strictObject({ height: edge, width: edge }),
    z.strictObject({ shortest_edge: edge }),
  ])
  .nullish();

const schema = z.looseObject({
  do_resize: flag,
  size: sizeSchema,
  resample: z
    .union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(5)])
    .nullish(),
  default_to_square: flag,
  do_center_crop: flag,
  crop_size: sizeSchema,
  crop_pct: z.number().positive().max(1).nullish(),
  do_rescale: flag,
  rescale_factor: z.number().positive().nullish(),
  do_normalize: flag,
  image_mean: perChannel,
  image_std: perChannel,
});
type Fields = z.infer<typeof schema>;

/** Fields that say nothing about pixels. */
const WITHOUT_EFFECT = new Set([
  'image_processor_type',
  'feature_extractor_type',
  'processor_class',
  '_processor_class',
  '_valid_processor_keys',
  'auto_map',
  'transformers_version',
  'do_convert_rgb',
  'do_reduce_labels',
  'reduce_labels',
  'return_tensors',
  'device',
  'disable_grouping',
  'image_seq_length',
  'input_data_format',
]);

/**
 * Reads preprocessor_config.json.
 * @param family processor to assume where the file names none, e.g. `ViT`.
 * @throws ModelError if the file is no JSON, or asks for something that is not supported.
 */
export function readPreprocessorConfig(file: string, family?: string): PreprocessorConfig {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: file,
      problem: `it cannot be read as JSON (${reasonOf(cause)})`,
      remedy: 'Download the file again',
      cause,
    });
  }
  return parsePreprocessorConfig(json, file, family);
}

/**
 * Resolves the content of a preprocessor_config.json.
 * @param subject names the file in errors.
 * @throws ModelError for what is not supported, by the name of the field.
 */
export function parsePreprocessorConfig(json: unknown, subject: string, family?: string): PreprocessorConfig {
  const refuse = (problem: string, remedy = 'Use the preprocessor_config.json of the published model') =>
    new ModelError({ packageName: PACKAGE_NAME, subject, problem, remedy });
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse([...(issue?.path ?? []), issue?.message ?? 'unexpected content'].join(': '));
  }
  const fields = parsed.data;
  const processor = familyOf(fields, family, refuse);
  const defaults = nullThrows(PROCESSOR_TYPES[processor], `${processor} is in the table`);
  refuseUnknown(fields, defaults, refuse);

  const wantsCrop = fields.do_center_crop ?? defaults.crop !== undefined;
  const crop = wantsCrop ? cropOf(fields.crop_size ?? defaults.crop ?? null) : undefined;
  if (wantsCrop && !crop) throw refuse('crop_size: a height and a width are needed for the centre crop');
  const resized = (fields.do_resize ?? true) ? resizeOf(fields, defaults, crop) : { crop };
  const output = resized.crop ?? ('resize' in resized && 'height' in resized.resize ? resized.resize : null);
  if (!output) {
    throw refuse('the size of its output depends on the picture', 'Set do_center_crop and crop_size');
  }
  const normalises = fields.do_normalize ?? true;
  const std = normalises ? channels(fields.image_std ?? defaults.std) : ([1, 1, 1] as const);
  if (std.some((value) => value <= 0)) throw refuse(`image_std: [${std.join(', ')}] is not above 0`);
  return {
    processor,
    ...('resize' in resized ? { resize: resized.resize } : {}),
    resample: fields.resample ?? defaults.resample,
    ...(resized.crop ? { crop: resized.crop } : {}),
    rescaleFactor: (fields.do_rescale ?? true) ? (fields.rescale_factor ?? 1 / 255) : 1,
    mean: normalises ? channels(fields.image_mean ?? defaults.mean) : [0, 0, 0],
    std,
    output,
  };
}

type Refuse = (problem: string, remedy?: string) => ModelError;

function familyOf(fields: Fields, fallback: string | undefined, refuse: Refuse): string {
  const named = fields.image_processor_type ?? fields.feature_extractor_type;
  if (named === undefined && fallback !== undefined && Object.hasOwn(PROCESSOR_TYPES, fallback))
    return fallback;
  const known = Object.keys(PROCESSOR_TYPES).join(', ');
  if (typeof named !== 'string') throw refuse('it names no image_processor_type', `Add one of ${known}`);
  const family = processorFamily(named);
  if (family === undefined) {
    const problem = `image_processor_type: '${named}' is not supported`;
    throw refuse(problem, `Use a backbone whose processor is one of ${known}`);
  }
  return family;
}

/** A field that nobody here reads must be switched off (null, false), or the pixels would not be what the model expects. */
function refuseUnknown(fields: Fields, defaults: ProcessorDefaults, refuse: Refuse): void {
  const read = new Set(Object.keys(schema.shape));
  const inert: Readonly<Record<string, unknown>> = { data_format: 'channels_first', num_channels: 3 };
  for (const [name, value] of Object.entries(fields)) {
    if (read.has(name) || WITHOUT_EFFECT.has(name)) continue;
    if (value === null || value === false || inert[name] === value) continue;
    throw refuse(`the field '${name}' is not supported`, 'Remove it if the model was trained without it');
  }
  if (fields.crop_pct != null && defaults.cropFraction === undefined) {
    throw refuse(
      "the field 'crop_pct' has no meaning for this image_processor_type",
      'Give size and crop_size',
    );
  }
}

function resizeOf(
  fields: Fields,
  defaults: ProcessorDefaults,
  crop: Size | undefined,
): { resize: Size | { shortestEdge: number }; crop: Size | undefined } {
  const size = fields.size ?? defaults.size;
  if (typeof size === 'number') {
    const square = fields.default_to_square ?? defaults.square;
    const asked = square ? { height: size, width: size } : { shortest_edge: size };
    return resizeOf({ ...fields, size: asked }, defaults, crop);
  }
  if (Array.isArray(size)) {
    const [height, width] = size;
    return { resize: { height, width }, crop };
  }
  if ('height' in size) return { resize: { height: size.height, width: size.width }, crop };
  const target = size.shortest_edge;
  if (defaults.cropFraction === undefined) return { resize: { shortestEdge: target }, crop };
  const square = { height: target, width: target };
  if (target >= 384) return { resize: square, crop };
  const larger = Math.trunc(target / (fields.crop_pct ?? defaults.cropFraction));
  return { resize: { shortestEdge: larger }, crop: crop ?? square };
}

function cropOf(size: Fields['crop_size']): Size | undefined {
  if (typeof size === 'number') return { height: size, width: size };
  if (Array.isArray(size)) return { height: size[0], width: size[1] };
  if (size && 'height' in size) return { height: size.height, width: size.width };
  return size ? { height: size.shortest_edge, width: size.shortest_edge } : undefined;
}

function channels(value: number | readonly number[]): [number, number, number] {
  return (typeof value === 'number' ? [value, value, value] : [...value]) as [number, number, number];
}
