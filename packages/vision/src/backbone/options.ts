import type { BackboneOptions, HubOptions } from '@dynaprompt/backbone';
import type { Resizer } from '../images/preprocessor.js';
import type { HeadOptions } from './head.js';
import type { PixelOptions } from './pixels.js';

/** How a vision backbone is opened. */
export interface VisionBackboneOptions extends HubOptions, BackboneOptions, PixelOptions {
  readonly head: HeadOptions;
  /** Most slots a plan may have. */
  readonly reserve: number;
  /** Whose resize is repeated, see {@link Resizer}. Default `pillow`. */
  readonly resizer?: Resizer;
}
