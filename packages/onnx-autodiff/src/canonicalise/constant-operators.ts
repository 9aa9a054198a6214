import { intAttribute, intsAttribute } from '../graph/emitter.js';
import { elementCount, MAXIMUM_RANK, tensorValues } from '../graph/tensor-data.js';
import { DataType, type Node } from '../graph/types.js';

/** Shapes, positions and masks of constants are smaller. */
export const MAXIMUM_ELEMENTS = 1 << 16;

/** A small constant: whole numbers, truth values (0 and 1) or float32 numbers, row-major. */
export interface Values {
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly data: readonly number[];
}

/** Computes a node's one output from its inputs (undefined for an absent one); undefined for a form it does not know. */
export type ConstantOperator = (inputs: readonly (Values | undefined)[], node: Node) => Values | undefined;

/** Whether a tensor of these extents may be computed. */
export function isComputable(dims: readonly number[]): boolean {
  return (
    dims.length <= MAXIMUM_RANK &&
    dims.every((extent) => Number.isInteger(extent) && extent >= 0) &&
    elementCount(dims) <= MAXIMUM_ELEMENTS
  );
}

function strides(dims: readonly number[]): number[] {
  return dims.map((_, axis) => elementCount(dims.slice(axis + 1)));
}

/** Calls `visit` with the index along every axis of each element, in row-major order. */
function eachIndex(dims: readonly number[], visit: (index: readonly number[], place: number) => void): void {
  const index = dims.map(() => 0);
  const count = elementCount(dims);
  for (let place = 0; place < count; place++) {
    visit(index, place);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      index[axis] = next < (dims[axis] ?? 0) ? next : 0;
      if (index[axis] !== 0) break;
    }
  }
}

/** Extents of tensors that are broadcast against each other; undefined where they do not fit. */
function broadcastDims(all: readonly Values[]): number[] | undefined {
  const rank = Math.max(0, ...all.map(({ dims }) => dims.length));
  const dims: number[] = [];
  for (let axis = -rank; axis < 0; axis++) {
    const extents = new Set(all.map((each) => each.dims.at(axis) ?? 1).filter((extent) => extent !== 1));
    if (extents.size > 1) return undefined;
    dims.push([...extents][0] ?? 1);
  }
  return dims;
}

/** Reads elements of a tensor by their index, or their place, in the shape that it is broadcast to. */
function readerOf(
  { dims, data }: Values,
  whole: readonly number[],
): (index: readonly number[], place: number) => number {
  const [first = 0] = data;
  if (data.length === 1) return () => first;
  if (data.length === elementCount(whole)) return (_index, place) => data[place] ?? 0;
  const leading = whole.length - dims.length;
  const steps = strides(dims).map((stride, axis) => (dims[axis] === 1 ? 0 : stride));
  return (index) =>
    data[steps.reduce((place, step, axis) => place + (index[axis + leading] ?? 0) * step, 0)] ?? 0;
}

function rounded(dataType: number, data: readonly number[]): readonly number[] {
  return dataType === DataType.float32 ? data.map(Math.fround) : data;
}

/** An elementwise operator; its result has the element type of an input, or is a truth value. */
const elementwise =
  (
    compute: (...values: number[]) => number,
    type: 'first' | 'second' | 'truth' = 'first',
  ): ConstantOperator =>
  (inputs) => {
    const operands = inputs.filter((input) => input !== undefined);
    const dims = operands.length === inputs.length ? broadcastDims(operands) : undefined;
    const like = operands[type === 'second' ? 1 : 0];
    if (!dims || !like || !isComputable(dims)) return undefined;
    const data: number[] = [];
    const readers = operands.map((operand) => readerOf(operand, dims));
    eachIndex(dims, (index, place) => data.push(compute(...readers.map((read) => read(index, place)))));
    const dataType = type === 'truth' ? DataType.bool : like.dataType;
    return { dims, dataType, data: rounded(dataType, data) };
  };

/** Integers are divided towards zero. */
const division: ConstantOperator = (inputs, node) => {
  if (inputs[0]?.dataType === DataType.float32) return elementwise((a = 0, b = 0) => a / b)(inputs, node);
  if (inputs[1]?.data.includes(0)) return undefined;
  return elementwise((a = 0, b = 1) => Math.trunc(a / b))(inputs, node);
};

const truth = (test: (a: number, b: number) => boolean): ConstantOperator =>
  elementwise((a = 0, b = 0) => (test(a, b) ? 1 : 0), 'truth');

const numbers = (...values: number[]): Values => ({
  dims: [values.length],
  dataType: DataType.int64,
  data: values,
});

const reshaped = (tensor: Values, dims: readonly number[]): Values | undefined =>
  elementCount(dims) === tensor.data.length ? { ...tensor, dims } : undefined;

/** Axes counted from the front, sorted. */
const frontAxes = (axes: readonly number[], rank: number): number[] =>
  axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);

/** Elements of a tensor along one axis. */
function take(tensor: Values, axis: number, picks: readonly number[]): Values | undefined {
  const dims = tensor.dims.map((extent, index) => (index === axis ? picks.length : extent));
  if (!isComputable(dims)) return undefined;
  const own = strides(tensor.dims);
  const data: number[] = [];
  eachIndex(dims, (index) => {
    const place = index.reduce(
      (sum, i, each) => sum + (each === axis ? (picks[i] ?? 0) : i) * (own[each] ?? 0),
      0,
    );
    data.push(tensor.data[place] ?? 0);
  });
  return { ...tensor, dims, data };
}

/** Operators on shapes, positions and conditions that exporters leave for the runtime to fold. */
export const constantOperators: Readonly<Record<string, ConstantOperator>> = {
  Identity: ([x]) => x,
  Not: elementwise((a) => (a ? 0 : 1)),
  And: truth((a, b) => a !== 0 && b !== 0),
  Or: truth((a, b) => a !== 0 || b !== 0),
  Xor: truth((a, b) => (a !== 0) !== (b !== 0)),
  Equal: truth((a, b) => a === b),
  Less: truth((a, b) => a < b),
  LessOrEqual: truth((a, b) => a <= b),
  Greater: truth((a, b) => a > b),
  GreaterOrEqual: truth((a, b) => a >= b),
  Add: elementwise((a = 0, b = 0) => a + b),
  Sub: elementwise((a = 0, b = 0) => a - b),
  Mul: elementwise((a = 0, b = 0) => a * b),
  Div: division,
  Neg: elementwise((a = 0) => -a),
  Abs: elementwise(Math.abs),
  Sqrt: elementwise(Math.sqrt),
  Reciprocal: elementwise((a = 0) => 1 / a),
  Min: elementwise(Math.min),
  Max: elementwise(Math.max),
  Where: elementwise((condition, a = 0, b = 0) => (condition ? a : b), 'second'),
  Cast: ([x], node) => {
    const dataType = intAttribute(node, 'to', 0);
    if (!x) return undefined;
    if (dataType === DataType.bool)
      return { ...x, dataType, data: x.data.map((value) => (value === 0 ? 0 : 1)) };
    const known: readonly number[] = [DataType.int64, DataType.int32, DataType.float32];
    if (!known.includes(dataType) || x.data.some((value) => !Number.isFinite(value))) return undefined;
    const isFloat = dataType === DataType.float32;
    return {
      ...x,
      dataType,
      data: x.data.map((value) => (isFloat ? Math.fround(value) : Math.trunc(value))),
    };
  },
  Shape: ([x], node) => {
    const [start, end] = [intAttribute(node, 'start', 0), intAttribute(node, 'end', x?.dims.length ?? 0)];
    return x && numbers(...x.dims.slice(start, end));
  },
  Size: ([x]) => x && { ...numbers(elementCount(x.dims)), dims: [] },
  Reshape: ([x, shape], node) => {
    if (!x || !shape || intAttribute(node, 'allowzero', 0) !== 0) return undefined;
    const dims = shape.data.map((extent, axis) => (extent === 0 ? (x.dims[axis] ?? 0) : extent));
    const known = elementCount(dims.filter((extent) => extent !== -1));
    return reshaped(
      x,
      dims.map((extent) => (extent === -1 ? x.data.length / known : extent)),
    );
  },
  Unsqueeze: ([x, axes]) => {
    if (!x || !axes) return undefined;
    const dims = [...x.dims];
    if (axes.data.length > MAXIMUM_RANK) return undefined;
    for (const axis of frontAxes(axes.data, x.dims.length + axes.data.length)) dims.splice(axis, 0, 1);
    return reshaped(x, dims);
  },
  Squeeze: ([x, axes]) => {
    if (!x) return undefined;
    const dropped = axes && frontAxes(axes.data, x.dims.length);
    return reshaped(
      x,
      x.dims.filter((extent, axis) => (dropped ? !dropped.includes(axis) : extent !== 1)),
    );
  },
  Transpose: ([x], node) => {
    if (!x) return undefined;
    const perm = intsAttribute(node, 'perm') ?? x.dims.map((_, axis) => x.dims.length - 1 - axis);
    if (new Set(perm).size !== x.dims.length) return undefined;
    const dims = perm.map((axis) => x.dims[axis] ?? 0);
    if (!isComputable(dims)) return undefined;
    const own = strides(x.dims);
    const data: number[] = [];
    eachIndex(dims, (index) => {
      data.push(x.data[perm.reduce((sum, axis, i) => sum + (index[i] ?? 0) * (own[axis] ?? 0), 0)] ?? 0);
    });
    return { ...x, dims, data };
  },
  Concat: (inputs, node) => {
    const parts = inputs.filter((input) => input !== undefined);
    const [first] = parts;
    const size = parts.reduce((sum, part) => sum + part.data.length, 0);
    if (!first || parts.length < inputs.length || size > MAXIMUM_ELEMENTS) return undefined;
    const [axis = 0] = frontAxes([intAttribute(node, 'axis', 0)], first.dims.length);
    const rows = elementCount(first.dims.slice(0, axis));
    if (rows > MAXIMUM_ELEMENTS) return undefined;
    const data: number[] = [];
    for (let row = 0; row < rows; row++)
      for (const part of parts) {
        const width = part.data.length / rows;
        for (let place = row * width; place < (row + 1) * width; place++) data.push(part.data[place] ?? 0);
      }
    const extent = parts.reduce((sum, { dims }) => sum + (dims[axis] ?? 0), 0);
    return { ...first, dims: first.dims.map((own, each) => (each === axis ? extent : own)), data };
  },
  Gather: ([x, indices], node) => {
    if (!x || !indices) return undefined;
    const [axis = 0] = frontAxes([intAttribute(node, 'axis', 0)], x.dims.length);
    const extent = x.dims[axis] ?? 0;
    const picks = indices.data.map((index) => (index < 0 ? index + extent : index));
    if (picks.some((pick) => pick < 0 || pick >= extent)) return undefined;
    const dims = [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)];
    const taken = take(x, axis, picks);
    return taken && { ...taken, dims };
  },
  Slice: ([x, starts, ends, axes, steps]) => {
    if (!x || !starts || !ends) return undefined;
    const rank = x.dims.length;
    if (starts.data.length > rank) return undefined;
    let result: Values | undefined = x;
    for (const [index, start] of starts.data.entries()) {
      const axis = axes?.data[index] ?? index;
      const front = axis < 0 ? axis + rank : axis;
      const extent = x.dims[front] ?? 0;
      const step = steps?.data[index] ?? 1;
      if (step < 1) return undefined;
      const bound = (value: number): number =>
        Math.min(extent, Math.max(0, value < 0 ? value + extent : value));
      const picks: number[] = [];
      for (let pick = bound(start); pick < bound(ends.data[index] ?? extent); pick += step) picks.push(pick);
      result = result && take(result, front, picks);
    }
    return result;
  },
  Expand: ([x, shape]) => {
    const dims = x && shape && broadcastDims([x, { ...x, dims: shape.data }]);
    if (!dims || !isComputable(dims)) return undefined;
    const data: number[] = [];
    const read = readerOf(x, dims);
    eachIndex(dims, (index, place) => data.push(read(index, place)));
    return { ...x, dims, data };
  },
  ConstantOfShape: ([shape], node) => {
    const value = node.attributes.get('value');
    if (!shape || !isComputable(shape.data)) return undefined;
    const [dataType, fill] =
      value?.kind === 'tensor'
        ? [value.value.dataType, tensorValues(value.value)[0] ?? 0]
        : [DataType.float32, 0];
    return { dims: shape.data, dataType, data: Array.from({ length: elementCount(shape.data) }, () => fill) };
  },
  Range: ([start, limit, delta]) => {
    const [from, to, step] = [start?.data[0], limit?.data[0], delta?.data[0]];
    if (!start || from === undefined || to === undefined || step === undefined || step === 0)
      return undefined;
    const length = Math.max(0, Math.ceil((to - from) / step));
    if (!isComputable([length])) return undefined;
    return {
      dims: [length],
      dataType: start.dataType,
      data: Array.from({ length }, (_, index) => from + index * step),
    };
  },
};
