import type { Pixels } from '@dynaprompt/vision';
import type { VisionSource } from '../graph/vision-source.js';
import type { TextTower } from '../towers/text-tower.js';
import type { VisionTower } from '../towers/vision-tower.js';
import type { DualOptions } from './options.js';

/** What a dual encoder is made of. */
export interface DualParts {
  readonly name: string;
  /** Commit of the hub; undefined for a local folder. */
  readonly commit?: string | undefined;
  readonly text: TextTower;
  readonly vision: VisionTower;
  /** D */
  readonly width: number;
  readonly padId: number;
  readonly pixels: Pixels;
  /** Where prompts of the image tower come from. */
  readonly source: VisionSource;
  readonly options: DualOptions;
}
