import type { InspectedPart } from '@dynaprompt/benchmarks';
import { type ClipBackbone, clipPreset } from '@dynaprompt/clip';
import { nullThrows } from '@dynaprompt/core';
import type { ReadPieces, SeenExample } from '@dynaprompt/runner';
import type { Dtype, SeenPicture, VisionBackbone, VisionExample } from '@dynaprompt/vision';

import { openBackbone } from '../backbone.js';
import { inputOf, patchesOf } from '../seen-picture.js';
import type { ClipChoice } from './choice.js';

/** What a dual encoder reads of a picture and the name of a class: the tower with the prompt first. */
export interface ReadPair {
  readonly pieces: ReadPieces<InspectedPart>;
  /** The other tower. */
  readonly beside: NonNullable<SeenExample['beside']>;
  readonly picture: SeenPicture;
}

/** Shows how a dual encoder sees pictures beside names of classes; its image tower is opened for the first one. */
export class ClipViewer {
  private tower: Promise<VisionBackbone> | undefined;

  constructor(
    private readonly backbone: Pick<ClipBackbone, 'classTexts'>,
    private readonly location: string,
    private readonly options: { readonly choice: ClipChoice; readonly dtype?: Dtype | undefined },
  ) {}

  /** @param label the class whose name is shown. */
  async read(example: VisionExample, label: number): Promise<ReadPair> {
    const { dtype, choice } = this.options;
    const head = { kind: 'linear', classes: 2 } as const;
    this.tower ??= openBackbone(this.location, { head, slots: 0, dtype });
    const picture = await (await this.tower).look(example);
    const text = nullThrows(this.backbone.classTexts[label], 'every class has a text');
    const patches = patchesOf(picture);
    const { prompts } = clipPreset(choice.prompts);
    if (prompts === 'vision') return { pieces: patches, beside: { ...text, isPrompted: false }, picture };
    return { pieces: text, beside: { ...patches, isPrompted: prompts === 'both' }, picture };
  }

  async show(example: VisionExample, label: number): Promise<SeenExample> {
    const { pieces, beside, picture } = await this.read(example, label);
    return { ...pieces, beside, input: await inputOf(picture) };
  }

  async close(): Promise<void> {
    await (await this.tower)?.release();
  }
}
