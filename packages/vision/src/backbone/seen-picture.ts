import type { RgbImage } from '../images/resample.js';
import type { VisionModel } from './vision-model.js';

/** What a model reads of one picture, without a prompt. */
export interface SeenPicture {
  /** Names of the rows in front of the patches: `[CLS]`, `[DIST]`, `[REG]`. */
  readonly special: readonly string[];
  /** Patches from top to bottom and from left to right; they are read row by row. */
  readonly rows: number;
  readonly columns: number;
  /** The picture as it is cut into patches: resized and cropped. */
  readonly picture: RgbImage;
}

/** Names of the rows in front: class token, distillation token (DeiT), registers (DINOv2). */
export function specialNames({
  patches: { special, registers = 0 },
}: Pick<VisionModel, 'patches'>): readonly string[] {
  return Array.from({ length: special }, (_, row) =>
    row >= special - registers ? '[REG]' : row === 0 ? '[CLS]' : '[DIST]',
  );
}
