import { readFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type InspectedPart, type Inspection, parseInspections } from '@dynaprompt/benchmarks';
import { nullThrows } from '@dynaprompt/core';
import { decodeImage } from '@dynaprompt/vision';

import { Workplace } from './program.test.fixture.js';

let place: Workplace;
let inspections: readonly Inspection[];

beforeAll(async () => {
  place = await Workplace.open();
  await place.writeShapes('shapes', { train: 6, val: 4 });
  const words = 'run --task image-folder --data shapes --methods frozen,fixed,dynamic --seeds 1 --steps 4';
  const { code, stderr } = await place.warm(`${words} --batch 4 --slots 4 --augment colour --output out`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const file = place.path('out', 'inspections.json');
  inspections = parseInspections(JSON.parse(await readFile(file, 'utf8')), file);
}, 120_000);

afterAll(() => place.remove());

interface Inspected {
  readonly label: string;
  readonly prompt: {
    readonly length: number;
    readonly position: { readonly choice: number };
    readonly pool: readonly number[] | null;
  };
}

describe('the inspector of the report', () => {
  it('has pictures of every method with a prompt', () => {
    const methods = inspections.map(({ method }) => method);
    expect(methods).toEqual([...new Array<string>(8).fill('fixed'), ...new Array<string>(8).fill('dynamic')]);
    for (const { input } of inspections)
      expect(input).toMatchObject({ kind: 'picture', rows: 8, columns: 8 });
  });

  it('draws each prompt where the saved adapter puts it', async () => {
    const shown = inspections.filter(({ method }) => method === 'dynamic');
    const paths = shown.map(({ id }) => `shapes/${id}`);
    const { stdout } = await place.warm(`inspect out/adapters/dynamic-seed1 ${paths.join(' ')} --json`);
    const expected = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Inspected);
    for (const [index, { prediction, prompt, sequence }] of shown.entries()) {
      const own = nullThrows(expected[index], 'an answer for every picture');
      const { length, position, pool } = own.prompt;
      expect(prediction).toBe(own.label);
      expect(prompt).toMatchObject({ slots: 4, length, position });
      pool?.forEach((weight, entry) => {
        expect(prompt?.weights?.[entry]).toBeCloseTo(weight, 5);
      });
      const run = (first: number, last: number): InspectedPart[] =>
        Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => ({ prompt: first + at }));
      const front = Math.min(position.choice, length);
      expect(sequence).toEqual(['[CLS]', ...run(1, front), { patches: [0, 64] }, ...run(front + 1, length)]);
    }
  });

  it('shows the picture as the model sees it, without augmentation', async () => {
    for (const { id, input } of inspections) {
      const uri = input.kind === 'picture' ? input.thumbnail : null;
      const bytes = Buffer.from(uri?.split(',')[1] ?? '', 'base64');
      const { width, height, data } = await decodeImage({ id, image: { kind: 'bytes', bytes } });
      expect([width, height]).toEqual([64, 64]);
      const pixel = (x: number, y: number): number[] => [
        ...data.slice(3 * (64 * y + x), 3 * (64 * y + x) + 3),
      ];
      expect(pixel(1, 1)).toEqual([255, 255, 255]);
      // In the middle of a square of 20 and more, and near that of a disc of as large a radius.
      expect(pixel(25, 25)).toEqual(id.includes('disc') ? [0, 0, 255] : [255, 0, 0]);
    }
  });
});
