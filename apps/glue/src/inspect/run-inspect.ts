import { ConfigurationError } from '@dynaprompt/core';
import { openExampleTokens } from '@dynaprompt/text';

import { placeOf } from '../backbone.js';
import { packageName } from '../package-name.js';
import { answerLines, type LineOptions } from '../predict/answer-lines.js';
import { givenLines, type LineSource, openLines } from '../predict/input.js';
import { type AdapterOptions, openAdapter } from '../predict/open-adapter.js';
import { writeLines } from '../predict/output.js';
import { paletteFor } from './colour.js';
import { jsonInspection, plainInspection } from './format.js';
import { type Inspection, inspectionOf } from './inspection.js';

/** What `inspect` was asked for. */
export interface InspectOptions extends AdapterOptions, Omit<LineOptions, 'onBadLine'> {
  readonly texts: readonly string[];
  /** Instead of texts. */
  readonly file: string | undefined;
  readonly json: boolean;
}

/** Shows for every text where its prompt stands, what it was made of, and the prediction. */
export async function runInspect(options: InspectOptions): Promise<void> {
  const source = await sourceOf(options);
  try {
    const opened = await openAdapter(options);
    const { location, head, slots, maxLength } = opened.opened;
    const palette = paletteFor(process.stdout, process.env);
    const format = options.json
      ? jsonInspection
      : (inspection: Inspection) => `${plainInspection(inspection, palette)}\n`;
    try {
      const read = await openExampleTokens(placeOf(location), {
        head,
        reserve: slots,
        ...(maxLength === undefined ? {} : { maximumTokens: maxLength }),
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
    return file === undefined ? givenLines(texts) : openLines(file);
  throw new ConfigurationError({
    packageName,
    subject: 'inspect',
    problem: file === undefined ? 'there is no text to inspect' : 'there are both texts and a file',
    remedy: 'Name texts, in quotes, or a file with --file',
  });
}
