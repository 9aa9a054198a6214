import { ConfigurationError } from '@dynaprompt/core';
import { givenLines, type LineSource, openLines, paletteFor, placeOf, writeLines } from '@dynaprompt/runner';
import { openExampleTokens } from '@dynaprompt/text';

import { bundled } from '../bundled.js';
import { packageName } from '../package-name.js';
import { answerLines, type LineOptions } from '../predict/answer-lines.js';
import { headOptionsOf, maxLengthOf } from '../predict/head-options.js';
import { openTextAdapter, type TextAdapterOptions } from '../predict/open-text-adapter.js';
import { jsonInspection, plainInspection } from './format.js';
import { type Inspection, inspectionOf } from './inspection.js';

/** What `inspect` was asked for. */
export interface InspectOptions extends TextAdapterOptions, Omit<LineOptions, 'onBadLine'> {
  readonly texts: readonly string[];
  /** Instead of texts. */
  readonly file: string | undefined;
  readonly json: boolean;
}

/** Shows for every text where its prompt stands, what it was made of, and the prediction. */
export async function runInspect(options: InspectOptions): Promise<void> {
  const source = await sourceOf(options);
  try {
    const opened = await openTextAdapter(options);
    const { location, slots } = opened.place;
    const palette = paletteFor(process.stdout, process.env);
    const format = options.json
      ? jsonInspection
      : (inspection: Inspection) => `${plainInspection(inspection, palette)}\n`;
    try {
      const read = await openExampleTokens(placeOf(location, bundled), {
        head: headOptionsOf(opened.adapter, options.folder),
        reserve: slots,
        ...maxLengthOf(opened.adapter, options.maxLength),
      });
      for await (const answered of answerLines(opened, source, { ...options, onBadLine: 'fail' })) {
        const inspections = answered.flatMap(({ example, answer }) =>
          example === undefined ? [] : inspectionOf(example, answer, read(example), opened.prompt),
        );
        await writeLines(inspections.map(format));
      }
    } finally {
      await opened.backbone.release();
    }
  } finally {
    source.close();
  }
}

async function sourceOf({ texts, file }: InspectOptions): Promise<LineSource> {
  if ((file === undefined) === texts.length > 0)
    return file === undefined ? givenLines(texts) : openLines(file, 'text');
  throw new ConfigurationError({
    packageName,
    subject: 'inspect',
    problem: file === undefined ? 'there is no text to inspect' : 'there are both texts and a file',
    remedy: 'Name texts, in quotes, or a file with --file',
  });
}
