/** One line of the input. */
export interface TextLine {
  /** 1 … */
  readonly number: number;
  /** Without its line break; empty where it is too long to be kept. */
  readonly text: string;
  /** Why it is no text; absent where it is one. */
  readonly problem?: string;
}

/** Most bytes of a line that are kept in memory. */
export const longestLine = 2 ** 20;

/** The lines of a stream of UTF-8 bytes, those of every chunk together. A last line needs no line break. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  longest = longestLine,
): AsyncGenerator<readonly TextLine[]> {
  const splitter = new LineSplitter(longest);
  for await (const chunk of chunks) {
    const lines = splitter.push(chunk);
    if (lines.length > 0) yield lines;
  }
  const last = splitter.end();
  if (last !== undefined) yield [last];
}

const lineFeed = 0x0a;

/** Cuts chunks into lines; keeps no more than the line at hand. */
class LineSplitter {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private parts: Uint8Array[] = [];
  /** Bytes of the line at hand, kept or not. */
  private length = 0;
  private number = 0;

  constructor(private readonly longest: number) {}

  push(chunk: Uint8Array): readonly TextLine[] {
    const lines: TextLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      this.keep(chunk.subarray(start, end));
      lines.push(this.finish());
      start = end + 1;
    }
    this.keep(chunk.subarray(start));
    return lines;
  }

  end(): TextLine | undefined {
    return this.length === 0 ? undefined : this.finish();
  }

  private keep(part: Uint8Array): void {
    this.length += part.length;
    if (this.length > this.longest) this.parts = [];
    else if (part.length > 0) this.parts.push(part);
  }

  private finish(): TextLine {
    const [bytes, length] = [Buffer.concat(this.parts), this.length];
    this.parts = [];
    this.length = 0;
    const number = ++this.number;
    if (length > this.longest) return { number, text: '', problem: `it has more than ${this.longest} bytes` };
    try {
      const text = this.decoder.decode(bytes).replace(/\r$/, '');
      return text.includes('\0')
        ? { number, text, problem: 'it is no text, it has a NUL' }
        : { number, text };
    } catch {
      return { number, text: bytes.toString('utf8'), problem: 'it is not UTF-8' };
    }
  }
}
