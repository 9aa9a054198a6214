import { DataError, type ImageExample } from '@dynaprompt/core';
import { decodeImage } from './decode.js';

/** Pixels that a huge picture is reduced towards while it is decoded, as models have it done, so that it never is in memory whole. */
const shown = { width: 224, height: 224 };

/** Why a picture cannot be decoded; undefined where it can. */
export async function pictureProblem({ id, image }: ImageExample): Promise<DataError | undefined> {
  // Pixels were decoded already.
  if (image.kind === 'pixels') return undefined;
  try {
    await decodeImage({ id, image }, { target: () => shown });
    return undefined;
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
}
