import type { RandomStream } from '@dynaprompt/core';
import type { Edit } from './byte-edits.js';
import {
  integerField,
  messageBytes,
  messageField,
  parseMessage,
  textField,
  textOf,
  varintBytes,
  type Field,
} from './wire.js';

/** Numbers at which something may overflow, wrap or turn round. */
export const HOSTILE_NUMBERS = [
  0n,
  1n,
  2n,
  3n,
  7n,
  100n,
  65_536n,
  -1n,
  -2n,
  -100n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 40n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
] as const;
const OPERATORS = [
  'Add', 'ArgMax', 'Cast', 'Concat', 'Constant', 'ConstantOfShape', 'Conv', 'CumSum', 'Expand', 'Flatten', 'Gather', 'GatherND',
  'Gemm', 'Identity', 'If', 'LayerNormalization', 'Loop', 'MatMul', 'NoSuchOperator', 'NonZero', 'OneHot', 'Pad', 'Pow', 'Range',
  'ReduceSum', 'Reshape', 'Resize', 'Scan', 'ScatterND', 'Shape', 'Slice', 'Softmax', 'Split', 'Squeeze', 'Tile', 'TopK',
  'Transpose', 'Unsqueeze', 'Where',
] as const; // prettier-ignore

/** Messages within messages: field numbers of onnx.proto3. */
const SCHEMA = {
  model: { 7: 'graph', 8: 'leaf', 25: 'leaf' },
  graph: { 1: 'node', 5: 'tensor', 11: 'value', 12: 'value', 13: 'value' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph' },
  tensor: { 13: 'leaf' },
  value: { 2: 'type' },
  type: { 1: 'tensorType' },
  tensorType: { 2: 'shape' },
  shape: { 1: 'leaf' },
  leaf: {},
} as const satisfies Readonly<Record<string, Readonly<Record<number, string>>>>;
type Message = keyof typeof SCHEMA;

type FieldsEdit = (fields: Field[], random: RandomStream) => Field[];

/** Changes that keep the file readable, and what it says wrong; they return the bytes as they are where there is nothing to change. */
export const GRAPH_EDITS = {
  'a number': inMessages((fields, random) =>
    replaceOne(
      fields,
      random,
      ({ wire }) => wire === 0,
      (field) => integerField(field.number, hostile(random)),
    ),
  ),
  'a length': inMessages((fields, random) =>
    replaceOne(
      fields,
      random,
      ({ wire }) => wire === 2,
      (field) => ({
        ...field,
        falseLength:
          random.integer(2) === 0 ? hostile(random) : BigInt(field.content.length + random.integer(9) - 4),
      }),
    ),
  ),
  'swapped inputs': inNodes((nodes, random) => {
    const [a, b] = [random.integer(nodes.length), random.integer(nodes.length)];
    const name = randomText(nodes[a], 1, random);
    const other = randomText(nodes[b], 1, random);
    if (name === undefined || other === undefined) return nodes;
    return nodes.map((node, index) => {
      if (index === a) return renamed(node, 1, name, other);
      return index === b ? renamed(node, 1, other, name) : node;
    });
  }),
  cycle: inNodes((nodes, random) => {
    const early = random.integer(nodes.length);
    const late = early + random.integer(nodes.length - early);
    const name = randomText(nodes[early], 1, random);
    const output = randomText(nodes[late], 2, random);
    if (name === undefined || output === undefined) return nodes;
    return nodes.map((node, index) => (index === early ? renamed(node, 1, name, output) : node));
  }),
  'operator type': inNodes((nodes, random) => {
    const at = random.integer(nodes.length);
    const name = OPERATORS[random.integer(OPERATORS.length)] ?? '';
    return nodes.map((node, index) =>
      index === at ? node.map((field) => (field.number === 4 ? textField(4, name) : field)) : node,
    );
  }),
  'missing node': inNodes((nodes, random) => {
    const at = random.integer(nodes.length);
    return nodes.filter((_, index) => index !== at);
  }),
  'missing input': inNodes((nodes, random) => {
    const at = random.integer(nodes.length);
    return nodes.map((node, index) => {
      const name = index === at ? randomText(node, 1, random) : undefined;
      if (name === undefined) return node;
      return random.integer(2) === 0
        ? renamed(node, 1, name, '')
        : node.filter((field) => textOf(field) !== name);
    });
  }),
  attribute: inKind('attribute', (fields, random) => {
    const kind = random.integer(4);
    if (kind === 0)
      return fields.map((field) => (field.number === 20 ? integerField(20, hostile(random)) : field));
    if (kind === 1) return fields.map((field) => (field.number === 1 ? textField(1, 'axis') : field));
    return fields.map((field) => {
      if (field.number === 3 || (field.number === 8 && field.wire === 0))
        return integerField(field.number, hostile(random));
      return field.number === 8 ? { ...field, content: packed(random) } : field;
    });
  }),
  'dimensions of a tensor': inKind('tensor', (fields, random) => {
    if (random.integer(3) === 0) return [...fields, integerField(1, hostile(random))];
    return replaceOne(
      fields,
      random,
      ({ number }) => number === 1,
      (field) =>
        field.wire === 0 ? integerField(1, hostile(random)) : { ...field, content: packed(random) },
    );
  }),
  'element type of a tensor': inKind('tensor', (fields, random) =>
    fields.map((field) => (field.number === 2 ? integerField(2, BigInt(random.integer(25))) : field)),
  ),
  'declared dimensions': inKind('shape', (fields, random) => {
    if (random.integer(4) === 0) return fields.slice(1);
    return replaceOne(
      fields,
      random,
      () => true,
      () => messageField(1, [integerField(1, hostile(random))]),
    );
  }),
  'external data': inKind('tensor', (fields, random) => {
    const place = ['weights.bin', 'model.onnx', 'gone.bin', '../weights.bin'][random.integer(4)] ?? '';
    const number = (): string => String(random.integer(3) === 0 ? random.integer(40_000) : hostile(random));
    const entry = (key: string, value: string): Field =>
      messageField(13, [textField(1, key), textField(2, value)]);
    const entries = [entry('location', place), entry('offset', number()), entry('length', number())];
    const kept = fields.filter(({ number }) => number <= 2 || number === 8);
    return [...kept, ...entries.slice(0, 1 + random.integer(3)), integerField(14, 1n)];
  }),
} as const satisfies Readonly<Record<string, Edit>>;

function hostile(random: RandomStream): bigint {
  return HOSTILE_NUMBERS[random.integer(HOSTILE_NUMBERS.length)] ?? 0n;
}

/** A packed run of one to four numbers. */
function packed(random: RandomStream): Uint8Array {
  return Uint8Array.from(
    Array.from({ length: 1 + random.integer(4) }, () => [...varintBytes(hostile(random))]).flat(),
  );
}

function replaceOne(
  fields: readonly Field[],
  random: RandomStream,
  isMeant: (field: Field) => boolean,
  replace: (field: Field) => Field,
): Field[] {
  const places = fields.flatMap((field, index) => (isMeant(field) ? [index] : []));
  const at = places.length === 0 ? -1 : places[random.integer(places.length)];
  return fields.map((field, index) => (index === at ? replace(field) : field));
}

/** Edits the fields of a message at random depth. */
function inMessages(edit: FieldsEdit): Edit {
  const within = (bytes: Uint8Array, kind: Message, random: RandomStream): Uint8Array => {
    const fields = parseMessage(bytes);
    const inner: Readonly<Record<number, Message>> = SCHEMA[kind];
    const nested = [...fields.keys()].filter((index) => inner[fields[index]?.number ?? 0] !== undefined);
    if (nested.length === 0 || random.integer(5) === 0) return messageBytes(edit(fields, random));
    const at = nested[random.integer(nested.length)];
    return messageBytes(
      fields.map((field, index) =>
        index === at
          ? { ...field, content: within(field.content, inner[field.number] ?? 'leaf', random) }
          : field,
      ),
    );
  };
  return (bytes, random) => within(bytes, 'model', random);
}

/** Edits one message of a kind, in the main graph and in what is nested in it. */
function inKind(wanted: Message, edit: FieldsEdit): Edit {
  const visit = (bytes: Uint8Array, kind: Message, change: (bytes: Uint8Array) => Uint8Array): Uint8Array => {
    if (kind === wanted) return change(bytes);
    const inner: Readonly<Record<number, Message>> = SCHEMA[kind];
    return messageBytes(
      parseMessage(bytes).map((field) => {
        const next = inner[field.number];
        return next === undefined ? field : { ...field, content: visit(field.content, next, change) };
      }),
    );
  };
  return (bytes, random) => {
    let count = 0;
    visit(bytes, 'model', (found) => (count++, found));
    if (count === 0) return bytes;
    let left = random.integer(count);
    return visit(bytes, 'model', (found) =>
      left-- === 0 ? messageBytes(edit(parseMessage(found), random)) : found,
    );
  };
}

/** Edits the nodes of the main graph. */
function inNodes(edit: (nodes: Field[][], random: RandomStream) => readonly (readonly Field[])[]): Edit {
  return (bytes, random) =>
    messageBytes(
      parseMessage(bytes).map((field) => {
        if (field.number !== 7) return field;
        const fields = parseMessage(field.content);
        const nodes = fields.filter(({ number }) => number === 1).map(({ content }) => parseMessage(content));
        if (nodes.length === 0) return field;
        const changed = edit(nodes, random).map((node) => messageField(1, node));
        return messageField(7, [...changed, ...fields.filter(({ number }) => number !== 1)]);
      }),
    );
}

function randomText(
  node: readonly Field[] | undefined,
  number: number,
  random: RandomStream,
): string | undefined {
  const texts = (node ?? []).filter((field) => field.number === number).map(textOf);
  return texts.length === 0 ? undefined : texts[random.integer(texts.length)];
}

function renamed(node: readonly Field[], number: number, from: string, to: string): Field[] {
  return node.map((field) =>
    field.number === number && textOf(field) === from ? textField(number, to) : field,
  );
}
