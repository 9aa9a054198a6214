import type {
  Attribute,
  Dimension,
  GraphProto,
  LocalFunction,
  ModelProto,
  Node,
  Tensor,
  ValueInfo,
} from '../graph/types.js';
import { DataType } from '../graph/types.js';
import { MAXIMUM_RANK } from '../graph/tensor-data.js';
import type { ByteSource } from './byte-source.js';
import { ExternalData } from './external-data.js';
import { typedFieldsToBytes, type TypedFields } from './typed-fields.js';
import { WireReader } from './wire-reader.js';

/** Tensors up to this many bytes are read at once (shapes, scalars, biases); larger ones stay in their file. */
const EAGER_BYTES = 4096;

/** The standard domain has two names. */
function standardised(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** Reads the messages of a model from its bytes (field numbers: onnx/onnx.proto3). */
export class ModelReader {
  readonly #reader: WireReader;
  readonly #externalData: ExternalData;

  /** `folder` is where the model is looked up, before links are followed: its external data lie there. */
  constructor(
    private readonly source: ByteSource,
    folder: string | undefined,
  ) {
    this.#reader = new WireReader(source);
    this.#externalData = new ExternalData(source.name, folder);
  }

  model(): ModelProto {
    const reader = this.#reader;
    let irVersion = 0;
    let producer = '';
    let graph: GraphProto = { name: '', nodes: [], initializers: [], inputs: [], outputs: [] };
    const opsets = new Map<string, number>();
    const functions: Uint8Array[] = [];
    reader.fields((field) => {
      if (field === 1) irVersion = reader.integer();
      else if (field === 2) producer = reader.string();
      else if (field === 7) graph = reader.message(() => this.#graph());
      else if (field === 8) {
        const [domain, version] = reader.message(() => this.#opset());
        opsets.set(standardised(domain), version);
      } else if (field === 25) functions.push(reader.bytes());
    });
    return { irVersion, producer, opsets, graph, functions };
  }

  /** The bytes of one model-local function. */
  localFunction(): LocalFunction {
    const reader = this.#reader;
    const inputs: string[] = [];
    const outputs: string[] = [];
    const nodes: Node[] = [];
    const defaults = new Map<string, Attribute>();
    const opsets = new Map<string, number>();
    let name = '';
    let domain = '';
    reader.fields((field) => {
      if (field === 1) name = reader.string();
      else if (field === 4) inputs.push(reader.string());
      else if (field === 5) outputs.push(reader.string());
      else if (field === 7) nodes.push(reader.message(() => this.#node()));
      else if (field === 9) {
        const [imported, version] = reader.message(() => this.#opset());
        opsets.set(standardised(imported), version);
      } else if (field === 10) domain = standardised(reader.string());
      else if (field === 11)
        reader.message(() => {
          this.#attribute(defaults);
        });
    });
    return { name, domain, inputs, outputs, nodes, defaults, opsets };
  }

  #opset(): [string, number] {
    const reader = this.#reader;
    let domain = '';
    let version = 0;
    reader.fields((field) => {
      if (field === 1) domain = reader.string();
      else if (field === 2) version = reader.integer();
    });
    return [domain, version];
  }

  #graph(): GraphProto {
    const reader = this.#reader;
    let name = '';
    const nodes: Node[] = [];
    const initializers: Tensor[] = [];
    const inputs: ValueInfo[] = [];
    const outputs: ValueInfo[] = [];
    reader.fields((field) => {
      if (field === 1) nodes.push(reader.message(() => this.#node()));
      else if (field === 2) name = reader.string();
      else if (field === 5) initializers.push(reader.message(() => this.#tensor()));
      else if (field === 11) inputs.push(reader.message(() => this.#valueInfo()));
      else if (field === 12) outputs.push(reader.message(() => this.#valueInfo()));
    });
    return { name, nodes, initializers, inputs, outputs };
  }

  #node(): Node {
    const reader = this.#reader;
    const inputs: string[] = [];
    const outputs: string[] = [];
    const attributes = new Map<string, Attribute>();
    let name = '';
    let opType = '';
    let domain = '';
    reader.fields((field) => {
      if (field === 1) inputs.push(reader.string());
      else if (field === 2) outputs.push(reader.string());
      else if (field === 3) name = reader.string();
      else if (field === 4) opType = reader.string();
      else if (field === 5)
        reader.message(() => {
          this.#attribute(attributes);
        });
      else if (field === 7) domain = reader.string();
    });
    return { name, opType, domain: standardised(domain), inputs, outputs, attributes };
  }

  #attribute(into: Map<string, Attribute>): void {
    const reader = this.#reader;
    let name = '';
    let type = 0;
    let float = 0;
    let integer = 0;
    let string = '';
    let tensor: Tensor | undefined;
    let graph: GraphProto | undefined;
    let reference = '';
    const floats: number[] = [];
    const ints: number[] = [];
    const strings: string[] = [];
    const graphs: GraphProto[] = [];
    const seen = new Set<number>();
    reader.fields((field) => {
      seen.add(field);
      if (field === 1) name = reader.string();
      else if (field === 2) float = reader.float();
      else if (field === 3) integer = reader.integer();
      else if (field === 4) string = reader.string();
      else if (field === 5) tensor = reader.message(() => this.#tensor());
      else if (field === 6) graph = reader.message(() => this.#graph());
      else if (field === 7) reader.floats(floats);
      else if (field === 8) reader.integers(ints);
      else if (field === 9) strings.push(reader.string());
      else if (field === 11) graphs.push(reader.message(() => this.#graph()));
      else if (field === 20) type = reader.integer();
      else if (field === 21) reference = reader.string();
    });
    if (reference !== '') {
      into.set(name, { kind: 'reference', value: reference, type });
      return;
    }
    // Files of IR version 1 and 2 leave the type out: the field that is there says it.
    if (type === 0)
      type = [...seen].map((field) => FIELD_TO_TYPE[field]).find((found) => found !== undefined) ?? 0;
    if (type === 1) into.set(name, { kind: 'float', value: float });
    else if (type === 2) into.set(name, { kind: 'int', value: integer });
    else if (type === 3) into.set(name, { kind: 'string', value: string });
    else if (type === 4 && tensor) into.set(name, { kind: 'tensor', value: tensor });
    else if (type === 5 && graph) into.set(name, { kind: 'graph', value: graph });
    else if (type === 6) into.set(name, { kind: 'floats', value: floats });
    else if (type === 7) into.set(name, { kind: 'ints', value: ints });
    else if (type === 8) into.set(name, { kind: 'strings', value: strings });
    else if (type === 10) into.set(name, { kind: 'graphs', value: graphs });
    else throw reader.malformed(`attribute ${name} of unknown type ${type}`);
  }

  #tensor(): Tensor {
    const reader = this.#reader;
    const dims: number[] = [];
    let name = '';
    let dataType = 0;
    let raw: { start: number; length: number } | undefined;
    let rawBytes: Uint8Array | undefined;
    const external = new Map<string, string>();
    const typed: TypedFields = { floats: [], int32s: [], int64s: [], doubles: [], uint64s: [] };
    const strings: Uint8Array[] = [];
    reader.fields((field) => {
      if (field === 1) reader.integers(dims);
      else if (field === 2) dataType = reader.integer();
      else if (field === 4) reader.floats(typed.floats);
      else if (field === 5) reader.integers(typed.int32s);
      else if (field === 6) strings.push(reader.bytes());
      else if (field === 7) reader.integers(typed.int64s);
      else if (field === 8) name = reader.string();
      else if (field === 9) {
        raw = reader.extent();
        if (raw.length <= EAGER_BYTES || this.source.file === undefined) {
          rawBytes = Uint8Array.prototype.slice.call(this.source.view(raw.start, raw.length));
        }
      } else if (field === 10) reader.doubles(typed.doubles);
      else if (field === 11) reader.integers(typed.uint64s);
      else if (field === 13) {
        const [key, value] = reader.message(() => this.#keyValue());
        external.set(key, value);
      }
    });
    if (dims.some((extent) => extent < 0)) throw reader.malformed(`tensor ${name} has a negative extent`);
    if (dims.length > MAXIMUM_RANK) throw reader.malformed(`tensor ${name} has ${dims.length} axes`);
    const header = { name, dims, dataType };
    if (external.size > 0) return { ...header, data: this.#externalData.locate(header, external) };
    if (dataType === DataType.string) return { ...header, data: { kind: 'strings', strings } };
    if (rawBytes) return { ...header, data: { kind: 'bytes', bytes: rawBytes } };
    if (raw && this.source.file !== undefined) {
      return {
        ...header,
        data: { kind: 'file', file: this.source.file, offset: raw.start, length: raw.length },
      };
    }
    return { ...header, data: { kind: 'bytes', bytes: typedFieldsToBytes(dataType, typed) } };
  }

  #keyValue(): [string, string] {
    const reader = this.#reader;
    let key = '';
    let value = '';
    reader.fields((field) => {
      if (field === 1) key = reader.string();
      else if (field === 2) value = reader.string();
    });
    return [key, value];
  }

  #valueInfo(): ValueInfo {
    const reader = this.#reader;
    let name = '';
    let dataType = 0;
    let dims: Dimension[] | undefined;
    const tensorType = (): void => {
      reader.fields((field) => {
        if (field === 1) dataType = reader.integer();
        else if (field === 2) dims = reader.message(() => this.#shape());
      });
    };
    reader.fields((field) => {
      if (field === 1) name = reader.string();
      else if (field === 2) {
        reader.message(() => {
          reader.fields((kind) => {
            if (kind === 1) reader.message(tensorType);
          });
        });
      }
    });
    return { name, dataType, dims };
  }

  #shape(): Dimension[] {
    const reader = this.#reader;
    const dims: Dimension[] = [];
    reader.fields((field) => {
      if (field !== 1) return;
      dims.push(
        reader.message(() => {
          let dimension: Dimension;
          reader.fields((kind) => {
            if (kind === 1) dimension = reader.integer();
            else if (kind === 2) dimension = reader.string();
          });
          // Some exporters write −1 for an extent that varies.
          return typeof dimension === 'number' && dimension < 0 ? undefined : dimension;
        }),
      );
    });
    if (dims.length > MAXIMUM_RANK) throw reader.malformed(`a declared shape of ${dims.length} axes`);
    return dims;
  }
}

const FIELD_TO_TYPE: Readonly<Record<number, number>> = {
  2: 1,
  3: 2,
  4: 3,
  5: 4,
  6: 5,
  7: 6,
  8: 7,
  9: 8,
  11: 10,
};
