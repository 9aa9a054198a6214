import type { Placement } from '../sequence/place-prompt.js';
import { PageError } from './page-error.js';

/** What dynamic_prompt.json of an exported folder says, as far as the page needs it. */
export interface ModelDescription {
  readonly backbone: { readonly name: string; readonly family: string };
  readonly labels: readonly string[];
  /** `number`: the one output is no class but a number (regression). */
  readonly answer: 'class' | 'number';
  /** Wording that the graph puts around a text. */
  readonly template: string | undefined;
  readonly placement: Placement;
  /** l, most prompt tokens. */
  readonly slots: number;
  /** What is decided for every text by itself, `instance`, for all alike, `task`, or not learned, `none`. */
  readonly levels: { readonly position: string; readonly length: string };
  /** `fixed`, `select` (mixed from a pool) or `generate`. */
  readonly representation: string;
  /** Prompts of the pool; undefined without one. */
  readonly pool: number | undefined;
  /** Layers that have prompts of their own. */
  readonly layers: number;
  readonly maximumTokens: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Files with weights beside model.onnx. */
  readonly data: readonly string[];
}

const FORMAT = 1;

/** Reads dynamic_prompt.json. @throws PageError when it is not what an export of this version writes. */
export function readDescription(json: unknown): ModelDescription {
  const root = object(json, 'dynamic_prompt.json');
  if (root.format !== FORMAT)
    throw damaged(`dynamic_prompt.json has the format ${JSON.stringify(root.format)}, not ${FORMAT}`);
  const backbone = object(root.backbone, 'backbone');
  const configuration = object(root.configuration, 'configuration');
  const position = object(configuration.position, 'position');
  const length = object(configuration.length, 'length');
  const representation = object(configuration.representation, 'representation');
  const head = object(root.head, 'head');
  const onnx = object(root.onnx, 'onnx');
  const slots = count(configuration.slots, 'slots');
  return {
    backbone: {
      name: text(backbone.name, 'backbone.name'),
      family: text(backbone.family, 'backbone.family'),
    },
    labels: texts(root.labels, 'labels'),
    answer: head.kind === 'regression' ? 'number' : 'class',
    template: typeof head.template === 'string' ? head.template : undefined,
    placement: {
      mode: modeOf(position.mode),
      candidates: position.anchors === undefined ? slots + 1 : count(position.anchors, 'anchors'),
    },
    slots,
    levels: { position: text(position.level, 'position.level'), length: text(length.level, 'length.level') },
    representation: text(representation.kind, 'representation.kind'),
    pool: representation.pool === undefined ? undefined : count(representation.pool, 'pool'),
    layers: configuration.layers === undefined ? 1 : count(configuration.layers, 'layers'),
    maximumTokens: count(root.maximumTokens, 'maximumTokens'),
    inputs: texts(onnx.inputs, 'onnx.inputs'),
    outputs: texts(onnx.outputs, 'onnx.outputs'),
    data: texts(onnx.data, 'onnx.data'),
  };
}

function modeOf(value: unknown): Placement['mode'] {
  if (value === 'split' || value === 'insert') return value;
  throw damaged(`dynamic_prompt.json: ${JSON.stringify(value)} is no way to place a prompt`);
}

function object(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  throw damaged(`dynamic_prompt.json: ${name} is no object`);
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw damaged(`dynamic_prompt.json: ${name} is no text`);
}

function texts(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw damaged(`dynamic_prompt.json: ${name} is no list of texts`);
}

function count(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw damaged(`dynamic_prompt.json: ${name} is no count`);
}

function damaged(problem: string): PageError {
  return new PageError(problem, 'Export the model again and build the site anew.');
}
