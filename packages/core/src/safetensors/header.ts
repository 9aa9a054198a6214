import { z } from 'zod';
import { sizeOf } from '../contracts/tensor.js';
import { DataError } from '../errors.js';

/** Where a tensor lies; its bytes are `start` … `end` − 1 of the data that follows the header. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: TensorType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** Element types that are read. */
export type TensorType = 'F32' | 'F16' | 'BF16' | 'I64';

export interface Header {
  /** In the order of their bytes. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Offset of the data in the file. */
  readonly dataStart: number;
}

/** Bytes in front of the header, which hold its length. */
export const prefixBytes = 8;

/** Bytes of an element. */
const elementBytes: Readonly<Record<TensorType, number>> = { F32: 4, F16: 2, BF16: 2, I64: 8 };

/** Longest header that the format allows. */
const longestHeader = 100_000_000;

const count = z.int().nonnegative();
const schema = z.record(
  z.string(),
  z.object({ dtype: z.string(), shape: z.array(count), data_offsets: z.tuple([count, count]) }),
);
const metadataSchema = z.record(z.string(), z.string());

/**
 * Reads and checks the header of a safetensors file: the tensors must lie one behind the other and fill the file, as the
 * format demands, so that no byte belongs to two of them or to none.
 *
 * @throws DataError naming the file, and the tensor at fault.
 */
export function readHeader(bytes: Uint8Array, file: string): Header {
  if (bytes.length < prefixBytes) throw unusable(file, 'too short to be a safetensors file');
  const length = new DataView(bytes.buffer, bytes.byteOffset, prefixBytes).getBigUint64(0, true);
  if (length > BigInt(longestHeader)) {
    throw unusable(file, `its header has ${length.toString()} bytes, more than the format allows`);
  }
  const dataStart = prefixBytes + Number(length);
  if (dataStart > bytes.length) throw unusable(file, 'truncated in its header');
  const { __metadata__: metadata, ...tensors } = parseJson(bytes.subarray(prefixBytes, dataStart), file);
  const entries = Object.entries(parsed(schema, tensors, file)).map(([name, entry]): TensorEntry => {
    const [start, end] = entry.data_offsets;
    return { name, dtype: typeOf(entry.dtype, name, file), shape: entry.shape, start, end };
  });
  entries.sort((left, right) => left.start - right.start || left.end - right.end);
  requireContiguous(entries, bytes.length - dataStart, file);
  return { entries, metadata: parsed(metadataSchema, metadata ?? {}, file), dataStart };
}

function requireContiguous(entries: readonly TensorEntry[], available: number, file: string): void {
  let covered = 0;
  for (const { name, dtype, shape, start, end } of entries) {
    if (start < covered) throw unusable(file, `tensor ${name} overlaps the one before`);
    if (start > covered) throw unusable(file, `bytes ${covered} … ${start - 1} belong to no tensor`);
    const size = sizeOf(shape) * elementBytes[dtype];
    if (end - start !== size) {
      throw unusable(
        file,
        `tensor ${name} has ${end - start} bytes where ${dtype} [${shape.join(', ')}] has ${size}`,
      );
    }
    if (end > available) throw unusable(file, `truncated within tensor ${name}`);
    covered = end;
  }
  if (covered !== available) throw unusable(file, `${available - covered} bytes follow the last tensor`);
}

function typeOf(dtype: string, name: string, file: string): TensorType {
  if (Object.hasOwn(elementBytes, dtype)) return dtype as TensorType;
  const known = Object.keys(elementBytes).join(', ');
  throw unusable(file, `tensor ${name} is ${dtype}; only ${known} are read`, 'Save it as float32');
}

function parseJson(bytes: Uint8Array, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw unusable(file, 'its header is no JSON, so it is no safetensors file', undefined, cause);
  }
  return parsed(z.record(z.string(), z.unknown()), value, file);
}

function parsed<T>(wanted: z.ZodType<T>, value: unknown, file: string): T {
  const result = wanted.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw unusable(
    file,
    `its header is malformed${place}: ${issue?.message ?? 'unknown'}`,
    undefined,
    result.error,
  );
}

function unusable(file: string, problem: string, remedy?: string, cause?: unknown): DataError {
  return new DataError({
    packageName: '@dynaprompt/core',
    subject: file,
    problem,
    remedy: remedy ?? 'The file is damaged or none of this format; copy or make it again',
    cause,
  });
}
