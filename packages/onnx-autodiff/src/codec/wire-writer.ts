import { toInt64 } from '../graph/integers.js';

const text = new TextEncoder();

/** Writes protobuf messages; the counterpart of `WireReader`. Grows as needed. */
export class WireWriter {
  // Most messages are nested ones of a few words.
  #bytes = new Uint8Array(1 << 7);
  #length = 0;

  /** The message so far; a view, valid until the next write. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A signed 64-bit integer field. Values beyond int64, which a double rounds up to, saturate. */
  integer(field: number, value: number): void {
    this.#tag(field, 0);
    this.#signed(value);
  }

  integers(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    const packed = new WireWriter();
    for (const value of values) packed.#signed(value);
    this.bytes(field, packed.finish());
  }

  float(field: number, value: number): void {
    this.#tag(field, 5);
    this.#push(new Uint8Array(Float32Array.of(value).buffer));
  }

  floats(field: number, values: readonly number[]): void {
    if (values.length > 0) this.bytes(field, new Uint8Array(Float32Array.from(values).buffer));
  }

  string(field: number, value: string): void {
    this.bytes(field, text.encode(value));
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, 2);
    this.#unsigned(value.length);
    this.#push(value);
  }

  message(field: number, write: (nested: WireWriter) => void): void {
    const nested = new WireWriter();
    write(nested);
    this.bytes(field, nested.finish());
  }

  #tag(field: number, wire: number): void {
    this.#unsigned(field * 8 + wire);
  }

  #signed(value: number): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.#unsigned(value);
      return;
    }
    let rest = BigInt.asUintN(64, toInt64(value));
    while (rest > 127n) {
      this.#byte(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.#byte(Number(rest));
  }

  #unsigned(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#byte(rest);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #push(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
