import type { PromptEntryPlace } from '@dynaprompt/backbone';
import { drawIds, type Behaviour } from './measure.js';
import type { Subject } from './test-files.js';

/** Examples that a model takes, as code. */
export interface ExampleTexts extends Pick<Subject, 'examples' | 'setting' | 'wrong'> {
  readonly inReadme: readonly [string, string];
}

/** Examples of several lengths where the model takes such. */
export function exampleTexts(entry: PromptEntryPlace, { extents }: Behaviour, padId: number): ExampleTexts {
  if (entry.kind === 'tokens') {
    const ids = drawIds({ entry, padId }, 11);
    const example = (...range: [number, number]): string => `{ ids: [${ids.slice(...range).join(', ')}] }`;
    return {
      examples: `[${[example(0, 6), example(6, 8), example(8, 11)].join(', ')}]`,
      setting: '',
      wrong: `{ ids: [${entry.vocabulary ?? 0}] }`,
      inReadme: [example(0, 3), example(6, 8)],
    };
  }
  const draws = (size: string): string => `
const random = stream(1, 'examples');
const drawn = (${size}: number): AdapterNameExample =>`;
  if (entry.kind === 'values') {
    const { channels = 1 } = entry;
    return {
      examples: '[drawn(6), drawn(3), drawn(4)]',
      setting: `${draws('steps')} ({ values: new Float32Array(steps * ${channels}).map(() => random.normal()) });`,
      wrong: '{ values: new Float32Array() }',
      inReadme: [
        `{ values: new Float32Array(${6 * channels}).fill(1) }`,
        `{ values: new Float32Array(${4 * channels}) }`,
      ],
    };
  }
  const size = extents.reduce((product, extent) => product * extent, 1);
  return {
    examples: `[drawn(${size}), drawn(${size}), drawn(${size})]`,
    setting: `${draws('size')} ({ values: new Float32Array(size).map(() => random.normal()) });`,
    wrong: `{ values: new Float32Array(${size + 1}) }`,
    inReadme: [`{ values: new Float32Array(${size}).fill(1) }`, `{ values: new Float32Array(${size}) }`],
  };
}
