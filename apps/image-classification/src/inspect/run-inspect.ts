import { type AdapterOptions, inspectedPrompt, paletteFor, writeLines } from '@dynaprompt/runner';

import { answerPictures, type PictureOptions } from '../predict/answer-pictures.js';
import { openImageAdapter } from '../predict/open-image-adapter.js';
import { picturesOf } from '../predict/picture-source.js';
import { type Inspection, jsonInspection, plainInspection } from './format.js';

/** What `inspect` was asked for. */
export interface InspectOptions extends AdapterOptions, Omit<PictureOptions, 'onBadSample'> {
  /** Paths; standard input has them where there are none. */
  readonly pictures: readonly string[];
  readonly json: boolean;
}

/** Shows for every picture where its prompt stands, what it was made of, and the prediction. */
export async function runInspect(options: InspectOptions): Promise<void> {
  const source = await picturesOf(options.pictures);
  try {
    const opened = await openImageAdapter(options);
    const palette = paletteFor(process.stdout, process.env);
    const format = options.json
      ? jsonInspection
      : (inspection: Inspection) => `${plainInspection(inspection, palette)}\n`;
    try {
      for await (const answered of answerPictures(opened, source, { ...options, onBadSample: 'fail' })) {
        const inspections = answered.flatMap(({ example, answer }) => {
          if (answer === undefined) return [];
          const prompt = opened.prompt && inspectedPrompt(opened.prompt, answer);
          return [{ picture: example.id, answer, prompt }];
        });
        await writeLines(inspections.map(format));
      }
    } finally {
      await opened.backbone.release();
    }
  } finally {
    source.close();
  }
}
