import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ModelError } from '@dynaprompt/core';
import { parsePreprocessorConfig, readPreprocessorConfig } from './preprocessor-config.js';

const FILE = 'preprocessor_config.json';
const HALF = [0.5, 0.5, 0.5];
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };

describe('published configs', () => {
  test('CLIP as first published: numbers for sizes, feature_extractor_type', () => {
    const config = parsePreprocessorConfig(
      {
        crop_size: 224,
        do_center_crop: true,
        do_normalize: true,
        do_resize: true,
        feature_extractor_type: 'CLIPFeatureExtractor',
        image_mean: [0.48145466, 0.4578275, 0.40821073],
        image_std: [0.26862954, 0.26130258, 0.27577711],
        resample: 3,
        size: 224,
      },
      FILE,
    );
    expect(config).toEqual({
      processor: 'CLIP',
      resize: { shortestEdge: 224 },
      resample: 3,
      crop: { height: 224, width: 224 },
      rescaleFactor: 1 / 255,
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
      output: { height: 224, width: 224 },
    });
  });

  test('ViT: a number is a square, whatever the spelling', () => {
    const old = {
      feature_extractor_type: 'ViTFeatureExtractor',
      size: 384,
      resample: 2,
      image_mean: HALF,
      image_std: HALF,
    };
    const saved = {
      _valid_processor_keys: ['images', 'do_resize'],
      image_processor_type: 'ViTImageProcessorFast',
      crop_size: null,
      data_format: 'channels_first',
      default_to_square: true,
      device: null,
      disable_grouping: null,
      do_center_crop: null,
      do_convert_rgb: null,
      do_normalize: true,
      do_pad: null,
      do_rescale: true,
      do_resize: true,
      image_mean: HALF,
      image_std: HALF,
      input_data_format: null,
      pad_size: null,
      resample: 2,
      rescale_factor: 0.00392156862745098,
      return_tensors: null,
      size: { height: 384, width: 384 },
    };
    const expected = {
      processor: 'ViT',
      resize: { height: 384, width: 384 },
      resample: 2,
      mean: HALF,
      std: HALF,
      output: { height: 384, width: 384 },
    };
    expect(parsePreprocessorConfig(old, FILE)).toMatchObject(expected);
    expect(parsePreprocessorConfig(saved, FILE)).toMatchObject(expected);
    expect(parsePreprocessorConfig(saved, FILE)).not.toHaveProperty('crop');
    expect(parsePreprocessorConfig({ ...old, size: [384, 384] }, FILE)).toMatchObject(expected);
    expect(parsePreprocessorConfig({ ...old, image_mean: 0.5, image_std: 0.5 }, FILE)).toMatchObject(
      expected,
    );
  });

  test('DINOv2', () => {
    const config = {
      image_processor_type: 'BitImageProcessor',
      crop_size: { height: 224, width: 224 },
      size: { shortest_edge: 256 },
      resample: 3,
      ...IMAGENET,
    };
    expect(parsePreprocessorConfig(config, FILE)).toMatchObject({
      resize: { shortestEdge: 256 },
      crop: { height: 224, width: 224 },
      output: { height: 224, width: 224 },
      mean: IMAGENET.image_mean,
      std: IMAGENET.image_std,
    });
  });

  test.each(['DeiTFeatureExtractor', 'DeiTImageProcessor', 'BeitFeatureExtractor', 'BeitImageProcessorFast'])(
    '%s: 256 × 256, the middle 224 × 224',
    (type) => {
      const config = { image_processor_type: type, size: 256, crop_size: 224, reduce_labels: false };
      expect(parsePreprocessorConfig(config, FILE)).toMatchObject({
        resize: { height: 256, width: 256 },
        crop: { height: 224, width: 224 },
        output: { height: 224, width: 224 },
      });
    },
  );

  test('BEiT at 384 crops nothing', () => {
    const config = {
      feature_extractor_type: 'BeitFeatureExtractor',
      size: 384,
      crop_size: 384,
      do_center_crop: false,
    };
    const parsed = parsePreprocessorConfig(config, FILE);
    expect(parsed).toMatchObject({ output: { height: 384, width: 384 } });
    expect(parsed).not.toHaveProperty('crop');
  });

  test('SigLIP: the defaults of its class', () => {
    expect(parsePreprocessorConfig({ image_processor_type: 'SiglipImageProcessor' }, FILE)).toEqual({
      processor: 'Siglip',
      resize: { height: 224, width: 224 },
      resample: 3,
      rescaleFactor: 1 / 255,
      mean: HALF,
      std: HALF,
      output: { height: 224, width: 224 },
    });
  });

  test('ConvNeXt: crop_pct below 384, a square from there on', () => {
    const config = { image_processor_type: 'ConvNextImageProcessor', crop_pct: 0.875, ...IMAGENET };
    expect(parsePreprocessorConfig({ ...config, size: { shortest_edge: 224 } }, FILE)).toMatchObject({
      resize: { shortestEdge: 256 },
      crop: { height: 224, width: 224 },
    });
    expect(parsePreprocessorConfig({ ...config, size: 384 }, FILE)).toMatchObject({
      resize: { height: 384, width: 384 },
      output: { height: 384, width: 384 },
    });
  });

  test('steps that are switched off', () => {
    const config = {
      image_processor_type: 'CLIPImageProcessor',
      do_resize: false,
      do_rescale: false,
      do_normalize: false,
    };
    const parsed = parsePreprocessorConfig(config, FILE);
    expect(parsed).toMatchObject({ rescaleFactor: 1, mean: [0, 0, 0], std: [1, 1, 1] });
    expect(parsed).not.toHaveProperty('resize');
  });

  test('a file without a type takes the family of the backbone', () => {
    expect(parsePreprocessorConfig({ size: 224, ...IMAGENET }, FILE, 'ViT')).toMatchObject({
      resize: { height: 224, width: 224 },
    });
    expect(parsePreprocessorConfig({ size: 224, ...IMAGENET }, FILE, 'CLIP')).toMatchObject({
      resize: { shortestEdge: 224 },
    });
  });
});

describe('what is refused by name', () => {
  const VIT = { image_processor_type: 'ViTImageProcessor' };
  const CLIP = { image_processor_type: 'CLIPImageProcessor' };
  test.each<[string, unknown, RegExp]>([
    ['no object', [], /preprocessor_config\.json/],
    ['no type', { size: 224 }, /names no image_processor_type/],
    [
      'an unknown type',
      { image_processor_type: 'SamImageProcessor' },
      /'SamImageProcessor' is not supported/,
    ],
    ['SigLIP 2 NaFlex', { image_processor_type: 'Siglip2ImageProcessor' }, /'Siglip2ImageProcessor'/],
    ['a name of Object', { image_processor_type: 'constructorImageProcessor' }, /not supported/],
    ['a field that changes pixels', { ...VIT, do_flip_channel_order: true }, /'do_flip_channel_order'/],
    ['padding', { ...VIT, do_pad: true }, /'do_pad'/],
    ['other layouts', { ...VIT, data_format: 'channels_last' }, /'data_format'/],
    ['a longest edge', { ...CLIP, size: { shortest_edge: 224, longest_edge: 300 } }, /size/],
    ['max_size', { ...CLIP, max_size: 400 }, /'max_size'/],
    ['an empty size', { ...VIT, size: {} }, /size/],
    ['size 0', { ...VIT, size: 0 }, /size/],
    ['a fraction', { ...VIT, size: 224.5 }, /size/],
    ['an unknown filter', { ...VIT, resample: 6 }, /resample/],
    ['two means', { ...VIT, image_mean: [0.5, 0.5] }, /image_mean/],
    ['a deviation of 0', { ...VIT, image_std: [0.5, 0, 0.5] }, /image_std/],
    ['a factor of 0', { ...VIT, rescale_factor: 0 }, /rescale_factor/],
    ['crop_pct elsewhere', { ...VIT, crop_pct: 0.9 }, /'crop_pct'/],
    ['an output without fixed size', { ...CLIP, do_center_crop: false }, /depends on the picture/],
    ['neither resize nor crop', { ...VIT, do_resize: false }, /depends on the picture/],
    ['a crop of no size', { ...VIT, do_center_crop: true }, /crop_size/],
  ])('%s', (_, json, message) => {
    const parse = () => parsePreprocessorConfig(json, FILE);
    expect(parse).toThrow(ModelError);
    expect(parse).toThrow(message);
    expect(parse).toThrow(/^@dynaprompt\/vision: preprocessor_config\.json: /);
  });

  test('a file that is missing or no JSON', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vision-'));
    try {
      const file = join(folder, FILE);
      expect(() => readPreprocessorConfig(file)).toThrow(ModelError);
      writeFileSync(file, '{"size": 22');
      expect(() => readPreprocessorConfig(file)).toThrow(ModelError);
      writeFileSync(file, JSON.stringify(VIT));
      expect(readPreprocessorConfig(file).output).toEqual({ height: 224, width: 224 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
