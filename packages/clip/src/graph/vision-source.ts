import { PROMPT_INPUT } from '@dynaprompt/backbone';
import { stream, type ParameterSet } from '@dynaprompt/core';
import { DataType, Emitter, type Dimension, type Graph } from '@dynaprompt/onnx-autodiff';

/** Tensors of the head that make prompts of an image tower. */
export const SOURCE_TENSORS = {
  /** [d_text, d_vision], or [L, d_text, d_vision] for L layers */
  weight: 'coupling.weight',
  /** [d_vision], or [L, d_vision] */
  bias: 'coupling.bias',
} as const;

/** Where the prompts of an image tower come from. */
export type VisionSource =
  /** They are the plan's. */
  | { readonly kind: 'plan' }
  /** F(P) = P W + b of the plan's prompts P, a linear map for each layer (MaPLe, Khattak et al. 2023, section 3.3). */
  | { readonly kind: 'coupled'; readonly textWidth: number; readonly visionWidth: number };

/** Whether an input is a tensor of the head that makes prompts. */
export function isOfSource(name: string): boolean {
  return (Object.values(SOURCE_TENSORS) as string[]).includes(name);
}

/** Tensors of the head that a source reads. */
export function tensorsOf(source: VisionSource): readonly string[] {
  return source.kind === 'coupled' ? Object.values(SOURCE_TENSORS) : [];
}

/**
 * Starting values: a coupling starts as torch's Linear does, U(−1/√d_text, 1/√d_text).
 * @param layers L
 */
export function initialSource(source: VisionSource, layers: number, seed: number): ParameterSet {
  if (source.kind === 'plan') return new Map();
  const { textWidth, visionWidth } = source;
  const random = stream(seed, 'coupling');
  const radius = 1 / Math.sqrt(textWidth);
  const draw = (count: number): Float32Array =>
    new Float32Array(count).map(() => radius * (2 * random.uniform() - 1));
  const leading = layers === 1 ? [] : [layers];
  return new Map([
    [
      SOURCE_TENSORS.weight,
      { shape: [...leading, textWidth, visionWidth], values: draw(layers * textWidth * visionWidth) },
    ],
    [SOURCE_TENSORS.bias, { shape: [...leading, visionWidth], values: draw(layers * visionWidth) }],
  ]);
}

/**
 * Makes the prompts of an injected graph from its source.
 * @param layers L
 * @returns tensor of the first layer's prompts [B, l, d_vision].
 */
export function placeSource(graph: Graph, source: VisionSource, layers: number): string {
  const { prompts, deep } = PROMPT_INPUT;
  if (source.kind === 'plan') return prompts;
  const emit = new Emitter(graph);
  const made = graph.fresh('visual_prompts');
  graph.replaceUses(prompts, made);
  const { textWidth, visionWidth } = source;
  const leading = layers === 1 ? [] : [layers];
  graph.inputs.set(prompts, planInput(prompts, 'prompt_length', textWidth));
  const madeDeep = graph.fresh('deep_visual_prompts');
  if (layers > 1) {
    graph.replaceUses(deep, madeDeep);
    graph.inputs.set(deep, planInput(deep, layers - 1, 'prompt_length', textWidth));
  }
  const weight = input(emit, SOURCE_TENSORS.weight, ...leading, textWidth, visionWidth);
  const bias = input(emit, SOURCE_TENSORS.bias, ...leading, visionWidth);
  const given = emit.unsqueeze(prompts, [1]);
  const stacked = layers === 1 ? given : emit.concat([given, deep], 1); // [B, L, l, d_text]
  const product = emit.op('MatMul', [stacked, layers === 1 ? emit.unsqueeze(weight, [0]) : weight]);
  const coupled = emit.add(product, layers === 1 ? bias : emit.unsqueeze(bias, [1])); // [B, L, l, d_vision]
  emit.alias(emit.op('Gather', [coupled, emit.int(0)], { axis: 1 }), made);
  if (layers > 1) {
    const behind = [emit.ints(1), emit.ints(layers), emit.ints(1)];
    emit.alias(emit.op('Slice', [coupled, ...behind]), madeDeep);
  }
  return made;
}

/** Gradients for what a source reads. */
export interface SourceGradients {
  /** [B, l, d] of the plan's prompts. */
  readonly prompts: string;
  /** [B, D, l, d] */
  readonly deep: string | undefined;
  /** By tensor of the head. */
  readonly head: ReadonlyMap<string, string>;
}

/**
 * Takes gradients of the placed prompts, [B, l, d_vision] and [B, D, l, d_vision], to their source: with G of all layers and
 * F = P W + b, dP = G Wᵀ, dW = Σ_b Pᵀ G, db = Σ G.
 */
export function differentiateSource(
  emit: Emitter,
  source: VisionSource,
  placed: { readonly prompts: string; readonly deep: string | undefined },
  nameOf: (input: string) => string,
): SourceGradients {
  if (source.kind === 'plan') return { ...placed, head: new Map() };
  const { weight, bias } = SOURCE_TENSORS;
  const isDeep = placed.deep !== undefined;
  const stack = (first: string, deep: string | undefined): string => {
    const one = emit.unsqueeze(first, [1]);
    return deep === undefined ? one : emit.concat([one, deep], 1);
  };
  const given = stack(nameOf(PROMPT_INPUT.prompts), isDeep ? nameOf(PROMPT_INPUT.deep) : undefined);
  const gradient = stack(placed.prompts, placed.deep);
  const transposed = emit.transpose(weight, isDeep ? [0, 2, 1] : [1, 0]);
  const back = emit.op('MatMul', [gradient, isDeep ? transposed : emit.unsqueeze(transposed, [0])]);
  // [L, B·l, d] each, so that one product sums over images and tokens.
  const rows = (tensor: string): string => {
    const byLayer = emit.transpose(tensor, [1, 0, 2, 3]);
    const ends = [emit.extents(byLayer, 0), emit.ints(-1), emit.extents(byLayer, 3)];
    return emit.reshape(byLayer, emit.concat(ends, 0));
  };
  const products = emit.op('MatMul', [emit.transpose(rows(given), [0, 2, 1]), rows(gradient)]);
  const sums = emit.reduceSum(rows(gradient), [1], 0);
  const flat = (tensor: string): string => (isDeep ? tensor : emit.squeeze(tensor, [0]));
  return {
    prompts: emit.op('Gather', [back, emit.int(0)], { axis: 1 }),
    deep: isDeep
      ? emit.op('Slice', [back, emit.ints(1), emit.ints(Number.MAX_SAFE_INTEGER), emit.ints(1)])
      : undefined,
    head: new Map([
      [weight, flat(products)],
      [bias, flat(sums)],
    ]),
  };
}

function input(emit: Emitter, name: string, ...dims: readonly Dimension[]): string {
  return emit.input({ name, dataType: DataType.float32, dims });
}

function planInput(
  name: string,
  ...dims: readonly Dimension[]
): { name: string; dataType: number; dims: readonly Dimension[] } {
  return { name, dataType: DataType.float32, dims: ['batch_size', ...dims] };
}
