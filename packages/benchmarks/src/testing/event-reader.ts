/** What a value of an event file says: a number, or counts of a histogram. */
export type ReadValue = number | readonly number[];

/** A value of an event file by name and step. */
export interface ReadPoint {
  readonly tag: string;
  readonly step: number;
  readonly value: ReadValue;
}

/**
 * Reads an event file after the definitions alone, sharing nothing with what writes it: TFRecords whose checksums are computed bit by
 * bit, and fields by their wire types. @throws Error at the first record that is damaged.
 */
export function readEventFile(bytes: Uint8Array): {
  readonly version: string;
  readonly points: readonly ReadPoint[];
} {
  const points: ReadPoint[] = [];
  let version = '';
  for (const record of recordsOf(bytes)) {
    const event = fieldsOf(record);
    const step = Number(event.find(([field]) => field === 2)?.[1] ?? 0);
    for (const [field, content] of event) {
      if (field === 3) version = textOf(content);
      if (field !== 5) continue;
      for (const [, value] of fieldsOf(content as Uint8Array)) {
        const parts = new Map(fieldsOf(value as Uint8Array));
        points.push({ tag: textOf(parts.get(1)), step, value: valueOf(parts) });
      }
    }
  }
  return { version, points };
}

type Field = readonly [number: number, content: number | Uint8Array];

/** `simple_value`, field 2, or the buckets, field 7, of `histo`, field 5. */
function valueOf(parts: ReadonlyMap<number, Field[1]>): ReadValue {
  const [simple, histogram] = [parts.get(2), parts.get(5)];
  if (typeof simple === 'number') return simple;
  const packed = new Map(fieldsOf(histogram as Uint8Array)).get(7) as Uint8Array;
  const view = viewOf(packed);
  return Array.from({ length: packed.length / 8 }, (_, index) => view.getFloat64(8 * index, true));
}

function recordsOf(bytes: Uint8Array): readonly Uint8Array[] {
  const view = viewOf(bytes);
  const records: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const length = Number(view.getBigUint64(offset, true));
    const data = bytes.subarray(offset + 12, offset + 12 + length);
    const sums = [view.getUint32(offset + 8, true), view.getUint32(offset + 12 + length, true)];
    for (const [place, part] of [bytes.subarray(offset, offset + 8), data].entries()) {
      if (sums[place] !== maskedSum(part)) throw new Error(`record ${records.length} is damaged`);
    }
    records.push(data);
    offset += length + 16;
  }
  return records;
}

/** CRC-32C by its polynomial x³² + x²⁸ + … , then rotated and shifted as TFRecords have it. */
function maskedSum(bytes: Uint8Array): number {
  let sum = 0xffffffffn;
  for (const byte of bytes) {
    sum ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1n) === 1n ? (sum >> 1n) ^ 0x82f63b78n : sum >> 1n;
  }
  sum ^= 0xffffffffn;
  return Number((((sum >> 15n) | (sum << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

/** Fields of a message of protocol buffers, by number. */
function fieldsOf(bytes: Uint8Array): readonly Field[] {
  const view = viewOf(bytes);
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, wire] = [key >> 3, key & 7];
    if (wire === 0) fields.push([field, varint()]);
    else if (wire === 1) {
      fields.push([field, view.getFloat64(at, true)]);
      at += 8;
    } else if (wire === 5) {
      fields.push([field, view.getFloat32(at, true)]);
      at += 4;
    } else {
      const length = varint();
      fields.push([field, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textOf(content: Field[1] | undefined): string {
  return new TextDecoder().decode(content as Uint8Array);
}
