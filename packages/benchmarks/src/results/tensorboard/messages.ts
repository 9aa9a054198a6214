/*
 * The few protobuf messages of an event file, by field number, from tensorflow/core/util/event.proto and
 * tensorflow/core/framework/summary.proto.
 */

/** How often each of the whole numbers 0 … n − 1 occurred. */
export type Counts = readonly number[];

/** A value by name at a training step. */
export type SummaryValue =
  { readonly tag: string; readonly scalar: number } | { readonly tag: string; readonly counts: Counts };

/** `Event`: what is told at a time, in seconds since 1970. */
export interface EventMessage {
  readonly wallTime: number;
  readonly step: number;
  readonly content: { readonly fileVersion: string } | { readonly values: readonly SummaryValue[] };
}

/** Serialises an `Event`. */
export function eventBytes({ wallTime, step, content }: EventMessage): Uint8Array {
  return joined(
    double(1, wallTime),
    step === 0 ? [] : varint(2, step),
    'fileVersion' in content
      ? text(3, content.fileVersion)
      : nested(5, joined(...content.values.map((value) => nested(1, valueBytes(value))))),
  );
}

/** `Summary.Value`. */
function valueBytes(value: SummaryValue): Uint8Array {
  return joined(
    text(1, value.tag),
    'scalar' in value ? float(2, value.scalar) : nested(5, histogramBytes(value.counts)),
  );
}

/** `HistogramProto`: a bucket for every number, from half below it to half above it. */
function histogramBytes(counts: Counts): Uint8Array {
  const used = counts.flatMap((count, number) => (count > 0 ? [number] : []));
  const total = (weight: (number: number) => number) =>
    counts.reduce((sum, count, number) => sum + count * weight(number), 0);
  return joined(
    double(1, used[0] ?? 0),
    double(2, used.at(-1) ?? 0),
    double(
      3,
      total(() => 1),
    ),
    double(
      4,
      total((number) => number),
    ),
    double(
      5,
      total((number) => number ** 2),
    ),
    packed(
      6,
      counts.map((_, number) => number + 0.5),
    ),
    packed(7, counts),
  );
}

/** Key and value of a field with wire type 0. */
function varint(field: number, value: number): number[] {
  return [...base128(field << 3), ...base128(value)];
}

function double(field: number, value: number): Uint8Array {
  return joined(base128((field << 3) | 1), doubles([value]));
}

function float(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return joined(base128((field << 3) | 5), bytes);
}

function packed(field: number, values: readonly number[]): Uint8Array {
  return nested(field, doubles(values));
}

function text(field: number, value: string): Uint8Array {
  return nested(field, new TextEncoder().encode(value));
}

function nested(field: number, bytes: Uint8Array): Uint8Array {
  return joined(base128((field << 3) | 2), base128(bytes.length), bytes);
}

function doubles(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    view.setFloat64(8 * index, value, true);
  });
  return bytes;
}

/** Seven bits a byte, the lowest first; of a whole number below 2⁵³. */
function base128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function joined(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
