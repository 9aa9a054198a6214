import { gzipSync } from 'node:zlib';
import { i32, i64, list, struct, text, type ThriftValue, varint } from './thrift-bytes.js';

/**
 * Types of columns that data sets on the Hub have; `int32s` is a struct of whole numbers, `structs` a list of structs
 * of texts, `image` a struct of `bytes` and `path`, `binary` bytes that are not marked as text.
 */
export type ParquetType =
  | 'string'
  | 'bytes'
  | 'binary'
  | 'image'
  | 'int64'
  | 'double'
  | 'boolean'
  | 'strings'
  | { readonly int32s: readonly string[] }
  | { readonly structs: readonly string[] };

/** What else a file has. */
export interface ParquetExtras {
  /** All rows where absent. */
  readonly rowsPerGroup?: number;
  /** Of the whole file, by key. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Codecs that files are packed with. */
export type ParquetCodec = 'uncompressed' | 'snappy' | 'gzip' | 'zstd';

/** Values of one column with their levels, as the Dremel encoding has them. */
interface Leaf {
  readonly path: readonly string[];
  readonly type: number;
  readonly definition: readonly number[];
  readonly repetition?: readonly number[];
  readonly values: readonly (readonly number[])[];
}

/**
 * A parquet file after the specification of the format, as pyarrow lays it out: optional columns, one plain page a column in
 * each row group. Made by hand so that what is read is not what the reader's own library wrote.
 */
export function parquetBytes(
  rows: readonly Readonly<Record<string, unknown>>[],
  columns: Readonly<Record<string, ParquetType>>,
  codec: ParquetCodec = 'uncompressed',
  { rowsPerGroup = Math.max(1, rows.length), metadata = {} }: ParquetExtras = {},
): Uint8Array {
  const file = [...Buffer.from('PAR1')];
  const writeGroup = (part: typeof rows): ThriftValue => {
    const groupStart = file.length;
    const chunks = Object.entries(columns)
      .flatMap(([name, type]) =>
        leavesOf(
          name,
          type,
          part.map((row) => row[name]),
        ),
      )
      .map((leaf) => {
        const start = file.length;
        const page = pageOf(leaf, codec);
        file.push(...page);
        return chunkOf(leaf, start, page.length, codec);
      });
    return struct({ 1: list(chunks), 2: i64(file.length - groupStart), 3: i64(part.length) });
  };
  const count = Math.max(1, Math.ceil(rows.length / rowsPerGroup));
  const groups = Array.from({ length: count }, (_, group) =>
    writeGroup(rows.slice(group * rowsPerGroup, (group + 1) * rowsPerGroup)),
  );
  const schema = Object.entries(columns).flatMap(([name, type]) => schemaOf(name, type));
  const root = struct({ 4: text('schema'), 5: i32(Object.keys(columns).length) });
  const pairs = Object.entries(metadata).map(([key, value]) => struct({ 1: text(key), 2: text(value) }));
  const footer = struct({
    1: i32(1),
    2: list([root, ...schema]),
    3: i64(rows.length),
    4: list(groups),
    ...(pairs.length > 0 && { 5: list(pairs) }),
  }).bytes;
  return Uint8Array.from([...file, ...footer, ...int32(footer.length), ...Buffer.from('PAR1')]);
}

const BOOLEAN = 0;
const INT32 = 1;
const INT64 = 2;
const DOUBLE = 5;
const BYTE_ARRAY = 6;
const OPTIONAL = 1;
const REPEATED = 2;
const codecs = { uncompressed: 0, snappy: 1, gzip: 2, zstd: 6 } as const;
const primitives = {
  string: BYTE_ARRAY,
  bytes: BYTE_ARRAY,
  binary: BYTE_ARRAY,
  int64: INT64,
  double: DOUBLE,
  boolean: BOOLEAN,
} as const;

function schemaOf(name: string, type: ParquetType): readonly ThriftValue[] {
  const utf8 = { 6: i32(0) };
  const node = (
    called: string,
    repetition: number,
    more: Readonly<Record<number, ThriftValue>>,
  ): ThriftValue => struct({ 3: i32(repetition), 4: text(called), ...more });
  const leaf = (
    called: string,
    primitive: number,
    more: Readonly<Record<number, ThriftValue>> = {},
  ): ThriftValue => struct({ 1: i32(primitive), 3: i32(OPTIONAL), 4: text(called), ...more });
  if (type === 'strings') {
    return [
      node(name, OPTIONAL, { 5: i32(1), 6: i32(3) }),
      node('list', REPEATED, { 5: i32(1) }),
      leaf('element', BYTE_ARRAY, utf8),
    ];
  }
  if (type === 'image') {
    return [node(name, OPTIONAL, { 5: i32(2) }), leaf('bytes', BYTE_ARRAY), leaf('path', BYTE_ARRAY, utf8)];
  }
  if (typeof type === 'object' && 'structs' in type) {
    return [
      node(name, OPTIONAL, { 5: i32(1), 6: i32(3) }),
      node('list', REPEATED, { 5: i32(1) }),
      node('element', OPTIONAL, { 5: i32(type.structs.length) }),
      ...type.structs.map((field) => leaf(field, BYTE_ARRAY, utf8)),
    ];
  }
  if (typeof type === 'object') {
    return [
      node(name, OPTIONAL, { 5: i32(type.int32s.length) }),
      ...type.int32s.map((field) => leaf(field, INT32)),
    ];
  }
  return [leaf(name, primitives[type], type === 'string' || type === 'bytes' ? utf8 : {})];
}

function leavesOf(name: string, type: ParquetType, values: readonly unknown[]): readonly Leaf[] {
  if (type === 'strings') {
    const items = values.map((value) => value as readonly string[]);
    return [
      {
        path: [name, 'list', 'element'],
        type: BYTE_ARRAY,
        definition: items.flatMap((list) => (list.length === 0 ? [1] : list.map(() => 3))),
        repetition: items.flatMap((list) =>
          list.length === 0 ? [0] : list.map((_, index) => Number(index > 0)),
        ),
        values: items.flat().map(byteArray),
      },
    ];
  }
  if (type === 'image') {
    const fields = { bytes: 'binary', path: 'string' } as const;
    return Object.entries(fields).map(([field, kind]) => {
      const parts = values.map((value) => (value as Readonly<Record<string, unknown>>)[field]);
      return {
        path: [name, field],
        type: BYTE_ARRAY,
        definition: parts.map((part) => (part === undefined ? 1 : 2)),
        values: parts.filter((part) => part !== undefined).map((part) => plain(kind, part)),
      };
    });
  }
  if (typeof type === 'object' && 'structs' in type) {
    const items = values.map((value) => value as readonly Readonly<Record<string, string>>[] | undefined);
    return type.structs.map((field) => ({
      path: [name, 'list', 'element', field],
      type: BYTE_ARRAY,
      definition: items.flatMap((list) => (list === undefined ? [0] : list.map(() => 4))),
      repetition: items.flatMap((list) => (list ?? ['']).map((_, index) => Number(index > 0))),
      values: items.flatMap((list) => (list ?? []).map((item) => byteArray(item[field] ?? ''))),
    }));
  }
  if (typeof type === 'object') {
    return type.int32s.map((field) => ({
      path: [name, field],
      type: INT32,
      definition: values.map(() => 2),
      values: values.map((value) => int32((value as Readonly<Record<string, number>>)[field] ?? 0)),
    }));
  }
  const present = values.filter((value) => value !== undefined);
  return [
    {
      path: [name],
      type: primitives[type],
      definition: values.map((value) => Number(value !== undefined)),
      values: type === 'boolean' ? [bits(present)] : present.map((value) => plain(type, value)),
    },
  ];
}

function plain(type: 'string' | 'bytes' | 'binary' | 'int64' | 'double', value: unknown): readonly number[] {
  const bytes = Buffer.alloc(8);
  switch (type) {
    case 'string':
      return byteArray(value as string);
    case 'bytes':
    case 'binary':
      return [...int32((value as Uint8Array).length), ...(value as Uint8Array)];
    case 'int64':
      bytes.writeBigInt64LE(BigInt(value as number));
      return [...bytes];
    case 'double':
      bytes.writeDoubleLE(value as number);
      return [...bytes];
  }
}

/** Header and packed content of the one page of a column. */
function pageOf({ definition, repetition, values }: Leaf, codec: ParquetCodec): readonly number[] {
  const content = [
    ...(repetition === undefined ? [] : levels(repetition)),
    ...levels(definition),
    ...values.flat(),
  ];
  const packed = pack(content, codec);
  const header = struct({
    1: i32(0),
    2: i32(content.length),
    3: i32(packed.length),
    5: struct({ 1: i32(definition.length), 2: i32(0), 3: i32(3), 4: i32(3) }),
  });
  return [...header.bytes, ...packed];
}

function chunkOf(
  { path, type, definition }: Leaf,
  start: number,
  size: number,
  codec: ParquetCodec,
): ThriftValue {
  const details = struct({
    1: i32(type),
    2: list([i32(0), i32(3)]),
    3: list(path.map(text)),
    4: i32(codecs[codec]),
    5: i64(definition.length),
    6: i64(size),
    7: i64(size),
    9: i64(start),
  });
  return struct({ 2: i64(start), 3: details });
}

/** Levels as runs of one, with their length in front. */
function levels(values: readonly number[]): readonly number[] {
  const runs = values.flatMap((value) => [2, value]);
  return [...int32(runs.length), ...runs];
}

/** Packed content, with literals alone where the codec is written by hand. */
function pack(content: readonly number[], codec: ParquetCodec): readonly number[] {
  const { length } = content;
  switch (codec) {
    case 'uncompressed':
      return content;
    case 'gzip':
      return [...gzipSync(Uint8Array.from(content))];
    case 'snappy':
      // One literal; 61 says that its length − 1 takes two bytes.
      return [...varint(length), 61 << 2, (length - 1) & 255, (length - 1) >> 8, ...content];
    case 'zstd': {
      // A frame of one segment with its size in four bytes, and one raw block, which is the last.
      const block = (length << 3) | 1;
      const head = [block & 255, (block >> 8) & 255, block >> 16];
      return [0x28, 0xb5, 0x2f, 0xfd, 0xa0, ...int32(length), ...head, ...content];
    }
  }
}

function byteArray(value: string): readonly number[] {
  const bytes = Buffer.from(value);
  return [...int32(bytes.length), ...bytes];
}

function bits(values: readonly unknown[]): readonly number[] {
  const bytes = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((value, index) => {
    bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (Number(value) << (index & 7));
  });
  return [...bytes];
}

function int32(value: number): readonly number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];
}
