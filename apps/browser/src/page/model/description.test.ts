import { describe, expect, it } from '@jest/globals';

import { readDescription } from './description.js';
import { PageError } from './page-error.js';
import { probabilitiesOf } from './probabilities.js';

const written = {
  format: 1,
  backbone: { name: 'owner/model', family: 'bert', revision: '00' },
  configuration: {
    slots: 6,
    layers: 1,
    position: { level: 'instance', mode: 'split' },
    length: { level: 'task' },
    representation: { kind: 'select', pool: 4 },
  },
  head: { kind: 'verbalizer', template: '{text} It was {mask} .', words: ['bad', 'good'] },
  labels: ['bad', 'good'],
  maximumTokens: 120,
  onnx: { inputs: ['input_ids'], outputs: ['logits'], data: ['model.onnx_data'] },
};

/** What is written, with one value changed. */
function changed(path: string, value: unknown): unknown {
  const copy: unknown = structuredClone(written);
  const names = path.split('.');
  const last = names.pop() ?? '';
  const owner = names.reduce((object, name) => (object as Record<string, unknown>)[name], copy);
  (owner as Record<string, unknown>)[last] = value;
  return copy;
}

describe('readDescription', () => {
  it('reads what an export says', () => {
    expect(readDescription(written)).toMatchObject({
      labels: ['bad', 'good'],
      answer: 'class',
      template: '{text} It was {mask} .',
      placement: { mode: 'split', candidates: 7 },
      slots: 6,
      levels: { position: 'instance', length: 'task' },
      pool: 4,
      maximumTokens: 120,
      data: ['model.onnx_data'],
    });
  });

  it('counts anchors as places', () => {
    const position = { level: 'task', mode: 'insert', anchors: 9 };
    const { placement } = readDescription(changed('configuration.position', position));
    expect(placement).toEqual({ mode: 'insert', candidates: 9 });
  });

  it('knows a model that answers by a number', () => {
    const head = { kind: 'regression', pooling: 'mean', range: [0, 5] };
    expect(readDescription(changed('head', head))).toMatchObject({ answer: 'number', template: undefined });
  });

  it.each([
    ['format', 2, /format 2, not 1/],
    ['backbone', null, /backbone is no object/],
    ['configuration.position.mode', 'around', /"around" is no way/],
    ['configuration.slots', -1, /slots is no count/],
    ['labels', ['a', 1], /labels is no list/],
    ['onnx.inputs', 'input_ids', /onnx.inputs is no list/],
  ])('refuses another %s', (path, value, message) => {
    const read = (): unknown => readDescription(changed(path, value));
    expect(read).toThrow(message);
    expect(read).toThrow(PageError);
  });

  it('refuses what is no object', () => {
    expect(() => readDescription('<!doctype html>')).toThrow(/dynamic_prompt.json is no object/);
  });
});

describe('probabilitiesOf', () => {
  it('is the softmax, of large logits too', () => {
    const [first = 0, second = 0] = probabilitiesOf([1000, 1000 - Math.log(3)]);
    expect(first).toBeCloseTo(0.75, 12);
    expect(second).toBeCloseTo(0.25, 12);
  });
});
