/** A value as Thrift's compact protocol writes it, with the code of its type. */
export interface ThriftValue {
  readonly type: number;
  readonly bytes: readonly number[];
}

/** A whole number, `i32`. */
export function i32(value: number): ThriftValue {
  return { type: 5, bytes: varint(2 * value) };
}

/** A whole number, `i64`. */
export function i64(value: number): ThriftValue {
  return { type: 6, bytes: varint(2 * value) };
}

/** A text. */
export function text(value: string): ThriftValue {
  const bytes = [...Buffer.from(value)];
  return { type: 8, bytes: [...varint(bytes.length), ...bytes] };
}

/** A list of values of one type. */
export function list(values: readonly ThriftValue[]): ThriftValue {
  const type = values[0]?.type ?? 0;
  return { type: 9, bytes: [0xf0 | type, ...varint(values.length), ...values.flatMap(({ bytes }) => bytes)] };
}

/** A struct: fields by number, in ascending order. */
export function struct(fields: Readonly<Record<number, ThriftValue>>): ThriftValue {
  let last = 0;
  const bytes = Object.entries(fields).flatMap(([key, value]) => {
    const field = Number(key);
    const head = ((field - last) << 4) | value.type;
    last = field;
    return [head, ...value.bytes];
  });
  return { type: 12, bytes: [...bytes, 0] };
}

/** A number of 0 or more, seven bits a byte. */
export function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}
