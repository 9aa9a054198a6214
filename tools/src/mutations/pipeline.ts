import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { float32, OnnxAutodiffError, prepareGraph } from '@dynaprompt/onnx-autodiff';
import { defaultDescription, type CaseFile, type Reference } from '../gradcheck/case-file.js';
import { openCase } from '../gradcheck/check.js';

/** What a model was made of when something happened. */
export type Phase = 'prepare' | 'differentiate' | 'run';

/** What became of one model. */
export interface Answer {
  readonly outcome: 'fine' | 'refused' | 'untyped';
  readonly phase: Phase;
  /** Class of the error. */
  readonly type?: string;
  /** Message of the error; of one without a type with the place that threw it. */
  readonly message?: string;
}

/**
 * Takes a mutated model of a case through reading, preparing, differentiating, loading and one run.
 * @param folder where the model and 32 kB of external data are put.
 */
export async function tryModel(
  bytes: Uint8Array,
  original: CaseFile,
  folder: string,
  enter: (phase: Phase) => void,
): Promise<Answer> {
  const file = join(folder, 'model.onnx');
  writeFileSync(file, bytes);
  writeFileSync(join(folder, 'weights.bin'), new Uint8Array(2 ** 15));
  let phase: Phase = 'prepare';
  const begin = (next: Phase): void => {
    phase = next;
    enter(next);
  };
  try {
    begin('prepare');
    const graph = prepareGraph(file, original.description?.conditions);
    begin('differentiate');
    const description =
      original.description ??
      defaultDescription(graph.inputs.has('input_ids') ? 'input_ids' : 'pixel_values');
    const [first] = original.references;
    if (!first) throw new Error(`${original.model}: the case has no reference`);
    const reference = forgiving(first);
    const opened = await openCase(graph, description, reference);
    begin('run');
    await opened.run(reference).finally(() => opened.release());
    return { outcome: 'fine', phase };
  } catch (error) {
    if (error instanceof OnnxAutodiffError)
      return { outcome: 'refused', phase, type: error.name, message: error.message };
    const type = error instanceof Error ? error.name : typeof error;
    return { outcome: 'untyped', phase, type, message: describe(error) };
  }
}

/** A mutated model asks for inputs that its case does not have: any tensor does, the engine is to refuse it. */
function forgiving(reference: Reference): Reference {
  return {
    has: (name) => reference.has(name),
    tensor: (name) => (reference.has(name) ? reference.tensor(name) : float32(new Float32Array(4), [2, 2])),
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const places = (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  return [error.message.split('\n')[0], ...places.slice(0, 3).map((line) => line.trim())].join(' ');
}
