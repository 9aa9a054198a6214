/** Where a picture's content is. */
export type ImageSource =
  /** An encoded picture (PNG, JPEG, WebP, GIF, TIFF, SVG …) on disk. */
  | { readonly kind: 'file'; readonly path: string }
  /** The content of such a file. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Decoded, row-major, channels last: grey, RGB or RGBA, [height, width, channels] in 0 … 255. */
  | {
      readonly kind: 'pixels';
      readonly width: number;
      readonly height: number;
      readonly channels: 1 | 3 | 4;
      readonly data: Uint8Array;
    };

/** A picture as data sets give it and vision backbones take it. */
export interface ImageExample {
  /** Names it in errors and results, e.g. its path within the data set. */
  readonly id: string;
  readonly image: ImageSource;
}
