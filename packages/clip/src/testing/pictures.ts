import { stream } from '@dynaprompt/core';
import type { VisionExample } from '@dynaprompt/vision';

/** A picture of one colour with a brighter or darker half and noise, the same for the same name. */
export function picture(name: string, side = 64, level = 0.5): VisionExample {
  const random = stream(5, name);
  const base = [0, 1, 2].map(() => 255 * (0.7 * random.uniform() + 0.3 * level));
  const data = new Uint8Array(side * side * 3).map((_, index) => {
    const column = Math.floor(index / 3) % side;
    const half = column < side / 2 ? 1 : 0.4;
    return Math.round((base[index % 3] ?? 0) * half + 40 * random.uniform()) & 255;
  });
  return { id: name, image: { kind: 'pixels', width: side, height: side, channels: 3, data } };
}

/** Some of them. */
export function pictures(count: number, side?: number): readonly VisionExample[] {
  return Array.from({ length: count }, (_, index) => picture(`picture ${index}`, side));
}
