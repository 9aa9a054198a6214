import { existsSync } from 'node:fs';
import { cp, rename, writeFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { parseResults } from '@dynaprompt/benchmarks';
import { miniClip } from '@dynaprompt/mini-models';

import { Workplace } from './program.test.fixture.js';

let place: Workplace;
const shapes =
  'run --task image-folder --data shapes --backbone ./clip --seeds 1 --steps 2 --batch 4 --slots 3';

beforeAll(async () => {
  place = await Workplace.open();
  await place.writeShapes('shapes', { train: 4, val: 2 });
  await cp(miniClip, place.path('clip'), { recursive: true });
  // The float32 file by another name: what counts is which one is opened.
  await rename(place.path('clip', 'onnx', 'model.onnx'), place.path('clip', 'onnx', 'model_quantized.onnx'));
  await writeFile(place.path('clip', 'onnx', 'model.onnx'), 'this is not read');
});

afterAll(() => place.remove());

describe('--dtype', () => {
  it('says which file is trained on, and predict opens that one again', async () => {
    const { code, stdout, stderr } = await place.warm(
      `${shapes} --dtype q8 --methods fixed --output out --json`,
    );
    expect(stderr).not.toContain('unexpected');
    expect(code).toBe(0);
    const { backboneDetails, config } = parseResults(JSON.parse(stdout), 'stdout');
    expect(backboneDetails).toMatchObject({ family: 'clip', dtype: 'q8' });
    expect(config).toMatchObject({ dtype: 'q8' });
    const words = 'predict out/adapters/fixed-seed1 --backbone ./clip shapes/val/disc/0.svg';
    const predicted = await place.warm(words);
    expect(predicted).toMatchObject({ code: 0, stderr: '' });
    expect(predicted.stdout).toMatch(/^(disc|square)\t[01]\.\d{4}\tshapes/);
  }, 60_000);

  it('that the backbone does not have ends in one line with those that it has', async () => {
    const { code, stderr } = await place.warm(`${shapes} --dtype fp16 --methods fixed --output never`);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/model_fp16\.onnx: the file is missing\. .*dtypes that it has: fp32, q8\./);
    expect(existsSync(place.path('never'))).toBe(false);
  });
});

describe('--subgroups', () => {
  it('makes the subgroups of emojis the classes', async () => {
    const words = 'run --task openmoji --subgroups --limit 154 --validation-limit 77 --methods linear-probe';
    const { code, stdout } = await place.warm(
      `${words} --seeds 1 --steps 2 --batch 4 --output emojis --json`,
    );
    expect(code).toBe(0);
    const { data } = parseResults(JSON.parse(stdout), 'stdout');
    // As many as `list` says.
    expect(data.labels).toHaveLength(77);
    expect((await place.warm('list')).stdout).toContain('77 subgroups by --subgroups');
    expect(data.labels).toContain('animals-nature/animal-mammal');
  }, 60_000);
});
