import { appendLinearHead, candidateFeeds, floatInput, OUTPUT } from '@dynaprompt/backbone';
import { DataType, int64, type Emitter, type TensorValue } from '@dynaprompt/onnx-autodiff';
import type { LogitScale } from '../folder/logit-scale.js';

/**
 * What becomes of the embeddings of images v [B, D] and texts t [R, D], of length 1.
 * `shared`: exp(s) v·t + b for each pair, [B, R]; `own`: for the texts of each image alone, [B, K]; `fused`: a linear layer on
 * [v; t; v⊙t] of an image and its text, [B, K], or on one of the two where the other is absent.
 */
export type Scoring = 'shared' | 'own' | 'fused';

/** Inputs of heads. */
export const SCORE_INPUT = {
  /** float32 [B, D] in place of the image tower */
  images: 'image_embeddings',
  /** float32 [R, D] in place of the text tower */
  texts: 'text_embeddings',
  /** float32 [1], where it is trained */
  scale: 'logit_scale',
  /** int64 [R] image that each text belongs to */
  owners: 'text_owners',
  /** int64 [B, K] and float32 [B, K], see `candidateFeeds` */
  rows: 'candidate_rows',
  bias: 'candidate_bias',
} as const;

/** A head behind the two towers. */
export interface ScoreHead {
  readonly scoring: Scoring;
  readonly logitScale: LogitScale;
  /** `logit_scale` is a tensor of the head. */
  readonly trainsScale: boolean;
  /** Columns of the logits of `fused`. */
  readonly classes: number;
  /** D */
  readonly width: number;
  /** Which embeddings a linear layer reads. */
  readonly reads: { readonly images: boolean; readonly texts: boolean };
}

/** An embedding: a tensor of the graph, something that is fed, or nothing. */
export type Side = { readonly tensor: string } | 'fed' | 'absent';

/** Width of what a linear layer reads. */
export function fusedWidth({ width, reads }: Pick<ScoreHead, 'width' | 'reads'>): number {
  return reads.images && reads.texts ? 3 * width : width;
}

/** Appends the logits as {@link OUTPUT}.logits. */
export function appendScores(emit: Emitter, head: ScoreHead, images: Side, texts: Side): void {
  const v = unitRows(emit, images, SCORE_INPUT.images, head.width);
  const t = unitRows(emit, texts, SCORE_INPUT.texts, head.width);
  if (head.scoring === 'fused') {
    const both = v !== undefined && t !== undefined;
    const fused = both ? emit.concat([v, t, emit.mul(v, t)], 1) : (v ?? t ?? '');
    emit.alias(fused, OUTPUT.pooled);
    emit.alias(appendLinearHead(emit, head.classes, fusedWidth(head)), OUTPUT.logits);
    return;
  }
  const [image, text] = [v ?? '', t ?? ''];
  if (head.scoring === 'shared') {
    emit.alias(scaled(emit, head, emit.op('MatMul', [image, emit.transpose(text, [1, 0])])), OUTPUT.logits);
    return;
  }
  const owners = emit.input({ name: SCORE_INPUT.owners, dataType: DataType.int64, dims: ['texts'] });
  const own = emit.mul(emit.op('Gather', [image, owners]), text); // [R, D]
  const scores = scaled(emit, head, emit.reduceSum(own, [1], 0));
  const dims = ['images', 'candidates'];
  const rows = emit.input({ name: SCORE_INPUT.rows, dataType: DataType.int64, dims });
  const dealt = emit.op('Gather', [scores, rows]);
  emit.alias(emit.add(dealt, floatInput(emit, SCORE_INPUT.bias, ...dims)), OUTPUT.logits);
}

/**
 * Which texts are whose, for `own`.
 * @param counts [B] texts of each image, one behind the other.
 * @param most K
 */
export function ownFeeds(counts: readonly number[], most: number): Record<string, TensorValue> {
  const owners = counts.flatMap((count, image) => new Array<number>(count).fill(image));
  return { ...candidateFeeds(counts, most), [SCORE_INPUT.owners]: int64(owners, [owners.length]) };
}

function scaled(emit: Emitter, { logitScale, trainsScale }: ScoreHead, cosines: string): string {
  const { scale, bias } = logitScale;
  const factor = trainsScale
    ? emit.op('Exp', [floatInput(emit, SCORE_INPUT.scale, 1)])
    : emit.float(Math.exp(scale));
  const product = emit.mul(cosines, factor);
  return bias === 0 ? product : emit.add(product, emit.float(bias));
}

/** x / ‖x‖ of every row; what is fed has length 1 already. */
function unitRows(emit: Emitter, side: Side, name: string, width: number): string | undefined {
  if (side === 'absent') return undefined;
  if (side === 'fed') return floatInput(emit, name, `${name}.rows`, width);
  const squares = emit.reduceSum(emit.mul(side.tensor, side.tensor), [1], 1);
  return emit.div(side.tensor, emit.op('Sqrt', [squares]));
}
