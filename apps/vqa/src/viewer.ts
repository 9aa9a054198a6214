import type { InspectedPart } from '@dynaprompt/benchmarks';
import type { VqaBackbone, VqaExample } from '@dynaprompt/clip';
import { DataError } from '@dynaprompt/core';
import { placeOf, type ReadPieces, type SeenExample } from '@dynaprompt/runner';
import {
  type Dtype,
  openVisionBackbone,
  type SeenPicture,
  thumbnail,
  type VisionBackbone,
} from '@dynaprompt/vision';

import { bundled } from './bundled.js';
import type { VqaHead } from './head.js';
import { packageName } from './package-name.js';

/** Characters of a question that the report shows. */
const longestShown = 2000;

/** How the backbone was opened whose examples are shown. */
export interface ViewerOptions {
  readonly head: VqaHead;
  readonly dtype?: Dtype | undefined;
}

/** What a backbone reads of a question about a picture: the tower with the prompt first. */
export interface ReadQuestion {
  readonly pieces: ReadPieces<InspectedPart>;
  /** The other tower; absent where it reads nothing. */
  readonly beside: SeenExample['beside'];
  /** Absent where no picture is looked at. */
  readonly picture: SeenPicture | undefined;
}

/** Shows how a backbone sees examples; its image tower is opened for the first one. */
export class Viewer {
  private tower: Promise<VisionBackbone> | undefined;

  constructor(
    private readonly backbone: Pick<VqaBackbone, 'textsOf'>,
    private readonly location: string,
    private readonly options: ViewerOptions,
  ) {}

  /** @param label the answer whose statement is shown, where there is a statement for each. */
  async read(example: VqaExample, label: number): Promise<ReadQuestion> {
    const { prompts, use } = this.options.head;
    const texts = this.backbone.textsOf(example);
    const text: ReadPieces<InspectedPart> | undefined = texts[label] ?? texts[0];
    const picture = use === 'question' ? undefined : await this.look(example);
    const patches = picture && patchesOf(picture);
    const [pieces, other] = prompts === 'vision' ? [patches, text] : [text, patches];
    if (pieces === undefined) throw nothingRead(example, this.options.head);
    return { pieces, beside: other && { ...other, isPrompted: prompts === 'both' }, picture };
  }

  async show(example: VqaExample & { readonly answer?: string }, label: number): Promise<SeenExample> {
    const { pieces, beside, picture } = await this.read(example, label);
    const question = example.question.slice(0, longestShown);
    return {
      ...pieces,
      ...(beside && { beside }),
      input:
        picture === undefined
          ? { kind: 'text', text: question }
          : {
              kind: 'picture',
              rows: picture.rows,
              columns: picture.columns,
              thumbnail: (await thumbnail(picture.picture)) ?? null,
              question,
            },
      label: example.answer,
    };
  }

  async close(): Promise<void> {
    await (await this.tower)?.release();
  }

  private async look({ id, image }: VqaExample): Promise<SeenPicture> {
    const { dtype } = this.options;
    this.tower ??= openVisionBackbone(placeOf(this.location, bundled), {
      head: { kind: 'linear', classes: 2 },
      reserve: 0,
      ...(dtype !== undefined && { dtype }),
    });
    return (await this.tower).look({ id, image });
  }
}

function patchesOf({ special, rows, columns }: SeenPicture): ReadPieces<InspectedPart> {
  const content = rows * columns;
  const patches = Array.from({ length: content }, (_, patch) => ({
    patches: [patch, 1] as [number, number],
  }));
  return { tokens: [...special, ...patches], layout: { before: special.length, content, after: 0 } };
}

function nothingRead({ id }: VqaExample, { use, prompts }: VqaHead): DataError {
  return new DataError({
    packageName,
    subject: `question ${id}`,
    problem: `the tower with prompts, ${prompts}, reads nothing of it with use ${use}`,
    remedy: 'Put prompts into a tower that reads something',
  });
}
