import { fileFault, readBytes } from '../../datasets/formats/read-bytes.js';

/** An item of a list or object in a JSON file. */
export interface JsonItem {
  /** Name of the item in an object, its position counted from 1 in a list. */
  readonly key: string | number;
  /** Undefined where this item alone is not JSON. */
  readonly value: unknown;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = { list: 0x5b, object: 0x7b } as const;
const CLOSE = { list: 0x5d, object: 0x7d } as const;
const REMEDY = 'Fetch or unpack it again';

/**
 * Items of a JSON file one by one: those of the outermost object, or of the list or object that it calls `member`. Files of questions
 * are larger than the longest string that JavaScript can hold, so the file is never parsed as a whole. The generator throws a
 * `DataError` that names the file and the item where it is cut off or no JSON, and where there is no such member.
 */
export async function jsonItems(path: string, member?: string): Promise<Generator<JsonItem>> {
  const bytes = await readBytes(path);
  return member === undefined ? rootItems(path, bytes) : memberItems(path, bytes, member);
}

function* rootItems(path: string, bytes: Uint8Array): Generator<JsonItem> {
  const scanner = new Scanner(path, bytes);
  yield* scanner.items();
  scanner.end();
}

function* memberItems(path: string, bytes: Uint8Array, member: string): Generator<JsonItem> {
  const scanner = new Scanner(path, bytes);
  let isFound = false;
  for (const name of scanner.entries()) {
    if (name === member) {
      isFound = true;
      yield* scanner.items();
    } else scanner.skip();
  }
  scanner.end();
  if (!isFound) throw fileFault(path, `it has no "${member}"`, `Name a file that has a list "${member}"`);
}

/** Walks over JSON text without building it. */
class Scanner {
  private at = 0;
  private seen = 0;

  constructor(
    private readonly path: string,
    private readonly bytes: Uint8Array,
  ) {
    const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    if (hasMark) this.at = 3;
  }

  /** Names of an object's entries; the caller walks over the value of each. */
  *entries(): Generator<string> {
    this.expect(OPEN.object);
    if (this.peek() === CLOSE.object) this.at += 1;
    else {
      do {
        const name = this.parsed();
        if (typeof name !== 'string') throw this.broken();
        this.expect(COLON);
        yield name;
      } while (this.goesOn(CLOSE.object));
    }
  }

  /** Items of the list or object that comes next. */
  *items(): Generator<JsonItem> {
    if (this.peek() === OPEN.object) {
      for (const key of this.entries()) yield this.item(key);
      return;
    }
    this.expect(OPEN.list);
    if (this.peek() === CLOSE.list) this.at += 1;
    else {
      let position = 0;
      do yield this.item((position += 1));
      while (this.goesOn(CLOSE.list));
    }
  }

  /** Walks over one value. */
  skip(): void {
    const first = this.peek();
    if (first === QUOTE) this.at = this.behindText(this.at);
    else if (first === OPEN.list || first === OPEN.object) this.skipNested();
    else while (this.at < this.bytes.length && !isEnd(this.bytes[this.at] ?? 0)) this.at += 1;
  }

  /** Nothing but white space may follow. */
  end(): void {
    while (this.at < this.bytes.length && isSpace(this.bytes[this.at] ?? 0)) this.at += 1;
    if (this.at < this.bytes.length) throw this.broken();
  }

  private item(key: string | number): JsonItem {
    const value = this.parsed();
    this.seen += 1;
    return { key, value };
  }

  /** The next value; undefined where it is not JSON. */
  private parsed(): unknown {
    this.peek();
    const start = this.at;
    this.skip();
    try {
      return JSON.parse(
        Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, this.at - start).toString(),
      );
    } catch {
      return undefined;
    }
  }

  /** Whether a comma and so another item follows, or else the end of them. */
  private goesOn(close: number): boolean {
    const mark = this.peek();
    if (mark !== COMMA && mark !== close) throw this.broken();
    this.at += 1;
    return mark === COMMA;
  }

  private skipNested(): void {
    // Local variables: this loop and the next see every byte of files of hundreds of megabytes.
    const { bytes } = this;
    let at = this.at;
    let depth = 0;
    do {
      const byte = bytes[at];
      if (byte === undefined) throw this.cutOff();
      if (byte === QUOTE) at = this.behindText(at);
      else {
        if (byte === OPEN.list || byte === OPEN.object) depth += 1;
        else if (byte === CLOSE.list || byte === CLOSE.object) depth -= 1;
        at += 1;
      }
    } while (depth > 0);
    this.at = at;
  }

  /** The first place behind the text that begins here. */
  private behindText(start: number): number {
    const { bytes } = this;
    for (let at = start + 1; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) return at + 1;
    }
    throw this.cutOff();
  }

  private expect(mark: number): void {
    if (this.peek() !== mark) throw this.broken();
    this.at += 1;
  }

  /** The next byte that is no white space. */
  private peek(): number {
    while (this.at < this.bytes.length && isSpace(this.bytes[this.at] ?? 0)) this.at += 1;
    const byte = this.bytes[this.at];
    if (byte === undefined) throw this.cutOff();
    return byte;
  }

  private cutOff() {
    return fileFault(this.path, `the JSON is cut off after ${this.seen} whole items`, REMEDY);
  }

  private broken() {
    return fileFault(
      this.path,
      `this is not the expected JSON at byte ${this.at + 1}, after ${this.seen} items`,
      REMEDY,
    );
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isEnd(byte: number): boolean {
  return byte === COMMA || byte === CLOSE.list || byte === CLOSE.object || isSpace(byte);
}
