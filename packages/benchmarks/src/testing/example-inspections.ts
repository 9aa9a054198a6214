import type { Inspection } from '../results/inspections.js';

/** A made-up text with two prompt tokens of three in front of it and a pool. */
export function inspectedText(): Inspection {
  return {
    method: 'dynamic',
    seed: 1,
    id: 'toy/7',
    label: 'yes',
    prediction: 'no',
    isRight: false,
    probabilities: [
      ['no', 0.75],
      ['yes', 0.25],
    ],
    input: { kind: 'text', text: 'a <b>fine</b> film' },
    prompt: {
      slots: 3,
      length: 2,
      layers: 1,
      position: { mode: 'split', candidates: 4, choice: 2 },
      weights: [0.125, 0.875],
    },
    sequence: ['[CLS]', { prompt: 1 }, { prompt: 2 }, 'a', '<b>', 'fine', 'film', '[SEP]'],
  };
}

/** A made-up picture of 2 × 3 patches with one prompt token after the fourth and one behind all. */
export function inspectedPicture(): Inspection {
  return {
    ...inspectedText(),
    id: 'toy/8.png',
    prediction: 'yes',
    isRight: true,
    input: { kind: 'picture', rows: 2, columns: 3, thumbnail: 'data:image/png;base64,iVBORw0KGgo=' },
    sequence: ['[CLS]', { patches: [0, 4] }, { prompt: 1 }, { patches: [4, 2] }, { prompt: 2 }],
  };
}
