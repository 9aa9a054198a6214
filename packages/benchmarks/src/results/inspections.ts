import { DataError } from '@dynaprompt/core';
import { z } from 'zod';
import { packageName } from '../package-name.js';

/** Most examples of a run that are kept for a closer look. */
export const MOST_INSPECTIONS = 20;
/** Most characters of an inspected text, and of the data URI of a picture. */
const MOST_TEXT = 4000;
const MOST_THUMBNAIL = 24_000;

const count = z.number().int().nonnegative();

/** A token by its spelling, a prompt token by its number 1 … l, or `[first, count]` of a run of patches in reading order. */
const sequencePart = z.union([
  z.string(),
  z.strictObject({ prompt: z.number().int().positive() }),
  z.strictObject({ patches: z.tuple([count, z.number().int().positive()]) }),
]);

const input = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), text: z.string().max(MOST_TEXT) }),
  z.strictObject({
    kind: z.literal('picture'),
    /** Patches that the model cuts the picture into. */
    rows: z.number().int().positive(),
    columns: z.number().int().positive(),
    /** The picture as the model sees it, small. */
    thumbnail: z
      .string()
      .regex(/^data:image\/(png|jpeg|webp|avif);base64,[A-Za-z0-9+/=]+$/)
      .max(MOST_THUMBNAIL)
      .nullable(),
    /** What is asked about it; absent where nothing is. */
    question: z.string().max(MOST_TEXT).optional(),
  }),
]);

const prompt = z.strictObject({
  /** l */
  slots: count,
  /** Active tokens. */
  length: count,
  /** Layers that receive prompts of their own. */
  layers: count,
  position: z.strictObject({ mode: z.enum(['split', 'insert']), candidates: count, choice: count }),
  /** [m] weights of the pool's entries; null without a pool. */
  weights: z.array(z.number()).readonly().nullable(),
});

const inspection = z.strictObject({
  method: z.string(),
  seed: z.number().int(),
  /** Absent where there is one task only. */
  task: z.string().optional(),
  /** Of the example. */
  id: z.string(),
  /** The right answer, and what was said, by name. */
  label: z.string(),
  prediction: z.string(),
  /** Null where the answer is a number. */
  isRight: z.boolean().nullable(),
  /** By name of the class or candidate, in label order; null where the answer is a number. */
  probabilities: z
    .array(z.tuple([z.string(), z.number()]))
    .readonly()
    .nullable(),
  input,
  /** Null for a method without a prompt. */
  prompt: prompt.nullable(),
  /** What the model reads, with the active prompt tokens where they stand. */
  sequence: z.array(sequencePart).readonly(),
  /** What another part of the model reads besides, with the prompt where it stands there; absent where there is none. */
  beside: z.array(sequencePart).readonly().optional(),
});

/** Shape of `inspections.json`. */
export const inspectionsSchema = z.array(inspection).max(MOST_INSPECTIONS).readonly();

/** How a trained method reads and answers one validation example, for the inspector of the report. */
export type Inspection = Readonly<z.infer<typeof inspection>>;

/** What an inspected model reads, piece by piece. */
export type InspectedPart = z.infer<typeof sequencePart>;

/** Checks inspections; throws a `DataError` that names `subject` and the field at fault. */
export function parseInspections(value: unknown, subject: string): readonly Inspection[] {
  const parsed = inspectionsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DataError({
    packageName,
    subject,
    problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit'}`,
    remedy: 'Compare it with the inspections in the README of @dynaprompt/benchmarks',
    cause: parsed.error,
  });
}
