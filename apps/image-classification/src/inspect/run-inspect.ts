import { nullThrows } from '@dynaprompt/core';
import {
  type AdapterOptions,
  inspectedPrompt,
  joinedPatches,
  paletteFor,
  promptedSequence,
  writeLines,
} from '@dynaprompt/runner';

import { type AnsweredPicture, answerPictures, type PictureOptions } from '../predict/answer-pictures.js';
import { openImageAdapter, type OpenImageAdapter } from '../predict/open-image-adapter.js';
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
        for (const one of answered) await writeLines([format(await inspectionOf(opened, one))]);
      }
    } finally {
      await opened.viewer?.close();
      await opened.backbone.release();
    }
  } finally {
    source.close();
  }
}

async function inspectionOf(
  { adapter, prompt: own, viewer }: OpenImageAdapter,
  { example, answer: given }: AnsweredPicture,
): Promise<Inspection> {
  const answer = nullThrows(given, 'bad pictures end the command');
  const prompt = own && inspectedPrompt(own, answer);
  const inspection = { picture: example.id, answer, prompt };
  if (viewer === undefined) return inspection;
  const { pieces, beside } = await viewer.read(example, adapter.head.labels.indexOf(answer.label));
  const sequences = [
    promptedSequence(pieces, prompt),
    promptedSequence(beside, beside.isPrompted ? prompt : undefined),
  ];
  return { ...inspection, sequences: sequences.map(joinedPatches) };
}
