import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withFolder } from '../testing/temporary-folder.js';
import { examplePredictions, predictionLines, readPredictions, scorePredictions } from './predictions.js';

const examples = [
  { id: 'a', label: 1 },
  { id: 'b', label: 0, alsoRight: [2] },
  { id: 'c', label: 0 },
];
const said = {
  // The third example has two candidates only.
  logits: Float32Array.of(0, Math.log(3), 0, 0, 0, Math.log(2), Math.log(4), 0, -1e9),
  predictions: Int32Array.of(1, 2, 0),
};

describe('examplePredictions', () => {
  it('has the softmax of the classes and candidates that are there', () => {
    const predictions = examplePredictions(examples, said);
    expect(predictions).toEqual([
      { id: 'a', label: 1, prediction: 1, probabilities: [0.2, 0.6, 0.2] },
      { id: 'b', label: 0, alsoRight: [2], prediction: 2, probabilities: [0.25, 0.25, 0.5] },
      { id: 'c', label: 0, prediction: 0, probabilities: [0.8, 0.2] },
    ]);
    expect(scorePredictions(predictions, 'accuracy')).toBe(1);
  });

  it('has numbers without probabilities', () => {
    const logits = Float32Array.of(1.1, 2.5);
    const numbers = [
      { id: 'a', label: 0, target: 1 },
      { id: 'b', label: 0, target: 2.5 },
    ];
    expect(examplePredictions(numbers, { logits, predictions: logits })).toEqual([
      { id: 'a', label: 1, prediction: 1.1, probabilities: null },
      { id: 'b', label: 2.5, prediction: 2.5, probabilities: null },
    ]);
  });
});

describe('readPredictions', () => {
  it('reads back what was written, so that any metric can be taken', async () => {
    const predictions = examplePredictions(examples.slice(0, 1), {
      logits: Float32Array.of(2, 1, 0),
      predictions: Int32Array.of(0),
    });
    await withFolder({ 'run.jsonl': predictionLines(predictions) }, async (folder) => {
      const read = await readPredictions(join(folder, 'run.jsonl'));
      expect(read).toEqual(predictions);
      expect(scorePredictions(read, 'macro-f1')).toBe(0);
    });
  });

  it('names the line at fault', async () => {
    await withFolder({ 'run.jsonl': '{"id":"a"}\n' }, async (folder) => {
      await expect(readPredictions(join(folder, 'run.jsonl'))).rejects.toThrow(
        /run\.jsonl:1: this is no pred/,
      );
      await expect(readPredictions(join(folder, 'none'))).rejects.toThrow(/none: it cannot be read/);
    });
  });
});
