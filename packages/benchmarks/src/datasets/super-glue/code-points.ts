/** Slices of a text by positions that count code points, as Python does and SuperGLUE's files do. */
export function codePointSlices(text: string): (start: number, end: number) => string {
  const offset = utf16Offsets(text);
  return (start, end) => text.slice(offset(start), offset(end));
}

/** Turns a position that counts code points into one that counts UTF-16 units. */
export function utf16Offsets(text: string): (position: number) => number {
  // Nearly all texts have no code point of two units, and need no list.
  if (!/[\ud800-\udbff]/.test(text)) return (position) => position;
  const offsets: number[] = [];
  let offset = 0;
  for (const point of text) {
    offsets.push(offset);
    offset += point.length;
  }
  return (position) => offsets[position] ?? text.length;
}
