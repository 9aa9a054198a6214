import type { TextAdapter } from '../backbone/adapter.js';
import { refuseLeftPadding } from '../backbone/checks.js';
import { describeTextModel, prepareTextGraph } from '../backbone/text-model.js';

/** BERT and its kin: prompts between [CLS] and [SEP], answers at a mask. */
export const encoderAdapter: TextAdapter = {
  kind: 'encoder',
  async read(files, { width }) {
    const file = await files.model();
    return describeTextModel({
      kind: 'encoder',
      graph: prepareTextGraph(file),
      files: [file],
      hiddenWidth: width,
    });
  },
  frame: (tokenizer) => tokenizer,
  sides: refuseLeftPadding,
};
