/** A field of a protobuf message (protobuf.dev/programming-guides/encoding), its content not looked into. */
export interface Field {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wire: number;
  /** The bytes behind the tag, without the length. */
  readonly content: Uint8Array;
  /** A length that is written in place of the content's own. */
  readonly falseLength?: bigint;
}

/** Fields of a sound message. */
export function parseMessage(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = varintAt(bytes, at);
    const wire = Number(tag.value & 7n);
    at = tag.end;
    let end: number;
    if (wire === 0) end = varintAt(bytes, at).end;
    else if (wire === 2) {
      const length = varintAt(bytes, at);
      at = length.end;
      end = at + Number(length.value);
    } else end = at + (wire === 1 ? 8 : 4);
    fields.push({ number: Number(tag.value >> 3n), wire, content: bytes.subarray(at, end) });
    at = end;
  }
  return fields;
}

export function messageBytes(fields: readonly Field[]): Uint8Array {
  const parts = fields.flatMap(({ number, wire, content, falseLength }) => [
    varintBytes(BigInt(number * 8 + wire)),
    ...(wire === 2 ? [varintBytes(falseLength ?? BigInt(content.length))] : []),
    content,
  ]);
  return Uint8Array.from(Buffer.concat(parts));
}

/** A 64-bit number, negative ones as their two's complement. */
export function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.of(...bytes, Number(rest));
}

function varintAt(bytes: Uint8Array, start: number): { value: bigint; end: number } {
  let value = 0n;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 127) << BigInt(7 * (at - start));
    if (byte < 128) return { value, end: at + 1 };
  }
  throw new Error('a number has no end; mutations start from sound models');
}

export function integerField(number: number, value: bigint): Field {
  return { number, wire: 0, content: varintBytes(value) };
}

export function textField(number: number, text: string): Field {
  return { number, wire: 2, content: new TextEncoder().encode(text) };
}

export function messageField(number: number, fields: readonly Field[]): Field {
  return { number, wire: 2, content: messageBytes(fields) };
}

export function textOf({ content }: Field): string {
  return new TextDecoder().decode(content);
}
