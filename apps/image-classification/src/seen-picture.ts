import type { InspectedPart } from '@dynaprompt/benchmarks';
import type { ReadPieces, SeenExample } from '@dynaprompt/runner';
import { type SeenPicture, thumbnail } from '@dynaprompt/vision';

/** What an image tower reads of a picture: its patches, one by one. */
export function patchesOf({ special, rows, columns }: SeenPicture): ReadPieces<InspectedPart> {
  const content = rows * columns;
  const patches = Array.from({ length: content }, (_, patch) => ({
    patches: [patch, 1] as [number, number],
  }));
  return { tokens: [...special, ...patches], layout: { before: special.length, content, after: 0 } };
}

/** The picture as people see it. */
export async function inputOf({ rows, columns, picture }: SeenPicture): Promise<SeenExample['input']> {
  return { kind: 'picture', rows, columns, thumbnail: (await thumbnail(picture)) ?? null };
}
