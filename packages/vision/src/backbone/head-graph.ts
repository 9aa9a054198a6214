import {
  appendLinearHead,
  floatInput,
  LINEAR_HEAD_TENSORS,
  OUTPUT,
  probeFloats,
  type HeadGraph,
} from '@dynaprompt/backbone';
import { ModelError } from '@dynaprompt/core';
import { Emitter, float32, weightPooledRows, type Graph } from '@dynaprompt/onnx-autodiff';
import type { Pooling } from '../folder/families.js';
import type { Size } from '../images/preprocessor-config.js';
import { PACKAGE_NAME } from '../package-name.js';
import type { Head } from './head.js';
import { FEATURES, INPUT } from './names.js';
import { ownPooling } from './own-pooling.js';
import type { VisionModel } from './vision-model.js';

/** Output of models with a classifier. */
const CLASSIFIER = 'logits';

/** A head behind a vision model. */
export interface VisionHead extends HeadGraph {
  /** Rows in front that are not among those it pools; undefined where it reads single rows only. */
  readonly skipped: number | undefined;
}

/**
 * A head behind a model.
 * @throws ModelError if the model has no classifier of its own, no class token or no pooled embedding, and the head needs it.
 */
export function headGraph(model: VisionModel, head: Head, size: Size): VisionHead {
  return {
    tensors: head.kind === 'linear' ? LINEAR_HEAD_TENSORS : [],
    skipped: appendHead(model.graph.clone(), model, head),
    append(graph) {
      appendHead(graph, model, head);
    },
    probe: (batch, total) => ({
      [INPUT.pixels]: float32(new Float32Array(batch * 3 * size.height * size.width).fill(0.1), [
        batch,
        3,
        size.height,
        size.width,
      ]),
      [INPUT.rowWeights]: probeFloats(batch, total),
      'head.weight': probeFloats(head.classes, model.width),
      'head.bias': probeFloats(head.classes),
    }),
  };
}

/**
 * Appends what dynamic prompts read to the model without prompts: {@link FEATURES} [B, d], the pooled embedding where the head
 * reads that, else the mean of the patches.
 * @returns as {@link VisionHead.skipped}.
 */
export function appendFeatures(graph: Graph, model: VisionModel, head: Head): number | undefined {
  const emit = new Emitter(graph);
  const isPooled = head.kind === 'linear' && head.pooling === 'pooled';
  const { row, skipped } = pooledRow(emit, model, isPooled ? 'pooled' : 'mean');
  graph.outputs.clear();
  emit.output(FEATURES, row);
  graph.prune();
  return skipped;
}

/** Appends {@link OUTPUT}.pooled [B, d] and .logits [B, classes]; returns as {@link VisionHead.skipped}. */
function appendHead(graph: Graph, model: VisionModel, head: Head): number | undefined {
  const emit = new Emitter(graph);
  const { row, skipped } = head.kind === 'own' ? ownRow(emit, model) : pooledRow(emit, model, head.pooling);
  emit.alias(row, OUTPUT.pooled);
  const logits =
    head.kind === 'linear'
      ? appendLinearHead(emit, head.classes, model.width)
      : emit.op('Gather', [classifierOf(graph, head.available), emit.ints(...head.columns)], { axis: 1 });
  emit.alias(logits, OUTPUT.logits);
  graph.outputs.clear();
  return skipped;
}

interface PooledRow {
  /** [B, d] */
  readonly row: string;
  readonly skipped: number | undefined;
}

function pooledRow(emit: Emitter, model: VisionModel, pooling: Pooling): PooledRow {
  const { graph } = emit;
  const { hidden, patches, width } = model;
  if (pooling === 'mean') {
    const weights = floatInput(emit, INPUT.rowWeights, 'batch_size', 'prompted_length');
    const mean = emit.op('MatMul', [emit.unsqueeze(weights, [1]), hidden]); // [B, 1, T] · [B, T, d]
    return { row: emit.squeeze(mean, [1]), skipped: patches.special };
  }
  if (pooling === 'cls') {
    if (patches.special === 0) throw lacks(graph, 'no class token');
    return { row: emit.op('Gather', [hidden, emit.int(0)], { axis: 1 }), skipped: undefined };
  }
  const row = ownPooling(graph, width);
  if (row === undefined) throw lacks(graph, `no pooled embedding of width ${width}`);
  return { row, skipped: weightPooledRows(graph, hidden)?.skipped };
}

/** What the model's own classifier reads, or its class token where that is not one row of width d. */
function ownRow(emit: Emitter, model: VisionModel): PooledRow {
  const { graph } = emit;
  const { hidden, width } = model;
  const skipped = weightPooledRows(graph, hidden)?.skipped;
  const row = ownPooling(graph, width) ?? emit.op('Gather', [hidden, emit.int(0)], { axis: 1 });
  return { row, skipped };
}

/** @throws ModelError if there is no classifier with as many classes as config.json names. */
function classifierOf(graph: Graph, available: number): string {
  const output = graph.outputs.get(CLASSIFIER);
  if (!output) throw lacks(graph, 'no classifier');
  const columns = output.dims?.[1];
  if (typeof columns !== 'number' || columns === available) return CLASSIFIER;
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: graph.source,
    problem: `its classifier has ${columns} classes, config.json names ${available}`,
    remedy: 'Take all files from one revision of one repository',
  });
}

function lacks(graph: Graph, what: string): ModelError {
  return new ModelError({
    packageName: PACKAGE_NAME,
    subject: graph.source,
    problem: `the model has ${what}`,
    remedy: 'Use a linear head of another pooling (cls, mean, pooled)',
  });
}
