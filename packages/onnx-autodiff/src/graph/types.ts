/** ONNX element types (onnx.proto3, TensorProto.DataType). */
export const DataType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
} as const;
export type DataType = (typeof DataType)[keyof typeof DataType];

/** Where a tensor's bytes (little endian) are: in memory, or at a place in a file that was not read. */
export type TensorData =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly file: string; readonly offset: number; readonly length: number }
  | { readonly kind: 'strings'; readonly strings: readonly Uint8Array[] };

/** A constant tensor (onnx.proto3, TensorProto). */
export interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly data: TensorData;
}

/** Value of an attribute of a node (onnx.proto3, AttributeProto). */
export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: GraphProto }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'graphs'; readonly value: readonly GraphProto[] }
  /** Inside a model-local function: the function's own attribute of this name, of an ONNX attribute type. */
  | { readonly kind: 'reference'; readonly value: string; readonly type: number };

/** A node. Inputs and outputs are tensor names, '' for an absent optional one; change them through `Graph` only. */
export interface Node {
  readonly name: string;
  readonly opType: string;
  /** '' is the standard domain ai.onnx. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** A dimension: an extent, a symbol, or undefined where the file says nothing. */
export type Dimension = number | string | undefined;

/** A graph input or output with its declared type; `dims` is undefined where the rank is not declared. */
export interface ValueInfo {
  readonly name: string;
  readonly dataType: number;
  readonly dims: readonly Dimension[] | undefined;
}

/** A graph as a file has it (onnx.proto3, GraphProto). */
export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Tensor[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

/** A model as a file has it (onnx.proto3, ModelProto). */
export interface ModelProto {
  readonly irVersion: number;
  readonly producer: string;
  /** Version by domain; '' is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: GraphProto;
  /** Model-local functions, undecoded. */
  readonly functions: readonly Uint8Array[];
}

/** A function that a model brings along for its own nodes (onnx.proto3, FunctionProto). */
export interface LocalFunction {
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly Node[];
  /** Attributes that a call may leave out. */
  readonly defaults: ReadonlyMap<string, Attribute>;
  readonly opsets: ReadonlyMap<string, number>;
}
