import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TensorValue } from '@dynaprompt/onnx-autodiff';
import { readSafetensors } from './safetensors.js';

/** What the reference differentiates. */
export interface CaseDescription {
  /** Graph inputs whose embeddings get prompts: `input_ids` (over placeholders), `pixel_values` (inserted). */
  readonly inject: readonly string[];
  /** Or the graph input that is differentiated itself, without prompts. */
  readonly gradientOf: string | undefined;
  readonly objective: 'cross-entropy' | 'vector-jacobian';
  /** Output that the objective is on. */
  readonly output: string;
  /** Row of the image's tokens in front of which prompts are inserted. */
  readonly insertAt: number;
  /** Tokens of an image, where the graph computes them. */
  readonly tokens: number | undefined;
  /** Truth values of inputs that choose between branches of the graph. */
  readonly conditions: Readonly<Record<string, boolean>>;
}

/** One set of inputs and what the reference made of them. */
export interface Reference {
  tensor(name: string): TensorValue;
  has(name: string): boolean;
}

/** A case folder's content. */
export interface CaseFile {
  readonly model: string;
  readonly description: CaseDescription | undefined;
  readonly references: readonly Reference[];
}

/** The description of a case without metadata: prompts in its only modality, cross-entropy on `logits`. */
export function defaultDescription(source: string): CaseDescription {
  return {
    inject: [source],
    gradientOf: undefined,
    objective: 'cross-entropy',
    output: 'logits',
    insertAt: 1,
    tokens: undefined,
    conditions: {},
  };
}

/** Reads a case folder: `model.onnx` and `case.safetensors`. The metadata's keys are in fixtures/README.md. */
export function readCaseFile(folder: string): CaseFile {
  const [model, file] = [join(folder, 'model.onnx'), join(folder, 'case.safetensors')];
  for (const path of [model, file]) {
    if (!existsSync(path))
      throw new Error(`${path}: not found; a case folder holds model.onnx and case.safetensors.`);
  }
  const { tensors, metadata } = readSafetensors(file);
  const prefixes = JSON.parse(metadata.references ?? '[""]') as readonly string[];
  const references = prefixes.map((prefix) => ({
    has: (name: string) => tensors.has(prefix + name),
    tensor: (name: string): TensorValue => {
      const value = tensors.get(prefix + name);
      if (!value) throw new Error(`${file}: no tensor ${prefix}${name}; make the case again.`);
      return value;
    },
  }));
  const hasDescription = metadata.inject !== undefined || metadata.gradient_of !== undefined;
  return { model, references, description: hasDescription ? describe(metadata) : undefined };
}

function describe(metadata: Readonly<Record<string, string>>): CaseDescription {
  return {
    inject: metadata.inject?.split(',') ?? [],
    gradientOf: metadata.gradient_of,
    objective: metadata.objective === 'vector-jacobian' ? 'vector-jacobian' : 'cross-entropy',
    output: metadata.output ?? 'logits',
    insertAt: Number(metadata.insert_at ?? 1),
    tokens: metadata.tokens === undefined ? undefined : Number(metadata.tokens),
    conditions: JSON.parse(metadata.conditions ?? '{}') as Readonly<Record<string, boolean>>,
  };
}
