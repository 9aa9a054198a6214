import { MalformedModelError } from '../errors.js';
import type { ByteSource } from './byte-source.js';

const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
/** No model in use nests deeper; a hostile one could exhaust the stack. */
const MAXIMUM_DEPTH = 64;
const text = new TextDecoder('utf-8', { fatal: true });

/** Reads protobuf messages (encoding: protobuf.dev/programming-guides/encoding) from a {@link ByteSource}. */
export class WireReader {
  position = 0;
  #wire = 0;
  #depth = 0;
  /** End of the innermost message. */
  #end: number;

  constructor(readonly source: ByteSource) {
    this.#end = source.size;
  }

  malformed(problem: string): MalformedModelError {
    return new MalformedModelError({
      subject: this.source.name,
      problem: `${problem} at byte ${this.position} of ${this.source.size}`,
      remedy: 'The file is truncated or is no ONNX model; download or export it again',
    });
  }

  /** Calls `visit` for every field up to the end of the current message; fields it does not read are skipped. */
  fields(visit: (field: number) => void): void {
    while (this.position < this.#end) {
      const tag = this.#rawVarint();
      const field = Math.floor(tag / 8);
      this.#wire = tag & 7;
      if (field <= 0) throw this.malformed(`field number ${field}`);
      const start = this.position;
      visit(field);
      if (this.position === start) this.#skip();
    }
    if (this.position !== this.#end) throw this.malformed('a field runs over the end of its message');
  }

  /** Reads a nested message. */
  message<T>(read: () => T): T {
    const end = this.#lengthDelimited();
    const outer = this.#end;
    if (++this.#depth > MAXIMUM_DEPTH) throw this.malformed(`more than ${MAXIMUM_DEPTH} nested messages`);
    this.#end = end;
    const value = read();
    this.#end = outer;
    this.#depth--;
    return value;
  }

  /** A signed 64-bit integer; exact up to 2^53, beyond that rounded (`toInt64` brings the largest one back). */
  integer(): number {
    if (this.#wire !== WireType.varint) throw this.malformed(`wire type ${this.#wire} for an integer`);
    return this.#rawVarint();
  }

  /** Appends an integer or a packed run of them. */
  integers(into: number[]): void {
    if (this.#wire === WireType.varint) {
      into.push(this.#rawVarint());
      return;
    }
    const end = this.#lengthDelimited();
    while (this.position < end) into.push(this.#rawVarint());
    if (this.position !== end) throw this.malformed('a packed field runs over its end');
  }

  float(): number {
    if (this.#wire !== WireType.fixed32) throw this.malformed(`wire type ${this.#wire} for a float`);
    return this.#fixed(4).getFloat32(0, true);
  }

  floats(into: number[]): void {
    this.#fixedRun(WireType.fixed32, 4, (view) => into.push(view.getFloat32(0, true)));
  }

  doubles(into: number[]): void {
    this.#fixedRun(WireType.fixed64, 8, (view) => into.push(view.getFloat64(0, true)));
  }

  string(): string {
    const { start, length } = this.extent();
    try {
      return text.decode(this.source.view(start, length));
    } catch {
      throw this.malformed('a text that is not UTF-8');
    }
  }

  /** A copy of a bytes field. */
  bytes(): Uint8Array {
    const { start, length } = this.extent();
    return Uint8Array.prototype.slice.call(this.source.view(start, length), 0, length);
  }

  /** Where a bytes field lies, without reading it. */
  extent(): { start: number; length: number } {
    const end = this.#lengthDelimited();
    const start = this.position;
    this.position = end;
    return { start, length: end - start };
  }

  #fixedRun(single: number, size: number, push: (view: DataView) => void): void {
    if (this.#wire === single) {
      push(this.#fixed(size));
      return;
    }
    const end = this.#lengthDelimited();
    while (this.position + size <= end) push(this.#fixed(size));
    if (this.position !== end) throw this.malformed('a packed field runs over its end');
  }

  #fixed(size: number): DataView {
    if (this.position + size > this.#end) throw this.malformed('the message ends within a number');
    const bytes = this.source.view(this.position, size);
    if (bytes.length < size) throw this.malformed('the file ends within a number');
    this.position += size;
    return new DataView(bytes.buffer, bytes.byteOffset, size);
  }

  #lengthDelimited(): number {
    if (this.#wire !== WireType.bytes)
      throw this.malformed(`wire type ${this.#wire} for a length-delimited field`);
    const length = this.#rawVarint();
    const end = this.position + length;
    if (length < 0 || end > this.#end) throw this.malformed('a field is longer than what holds it');
    return end;
  }

  #skip(): void {
    if (this.#wire === WireType.varint) this.#rawVarint();
    else if (this.#wire === WireType.fixed64) this.#fixed(8);
    else if (this.#wire === WireType.fixed32) this.#fixed(4);
    else if (this.#wire === WireType.bytes) this.position = this.#lengthDelimited();
    else throw this.malformed(`wire type ${this.#wire}`);
  }

  #rawVarint(): number {
    const longest = Math.min(10, this.#end - this.position);
    let value = 0;
    let scale = 1;
    for (let index = 0; index < longest; index++) {
      if (index === 7) return this.#longVarint(this.source.view(this.position, longest));
      const byte = this.source.byte(this.position + index);
      if (byte === undefined) break;
      value += (byte & 127) * scale;
      if (byte < 128) {
        this.position += index + 1;
        return value;
      }
      scale *= 128;
    }
    throw this.malformed('an unfinished number');
  }

  /** Numbers of more than 49 bits, negative ones among them. */
  #longVarint(bytes: Uint8Array): number {
    let value = 0n;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      value |= BigInt(byte & 127) << BigInt(7 * index);
      if (byte < 128) {
        this.position += index + 1;
        return Number(BigInt.asIntN(64, value));
      }
    }
    throw this.malformed('an unfinished number');
  }
}
