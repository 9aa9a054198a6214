import { arrangeSequences, type PromptEntryPlace } from '@dynaprompt/backbone';
import { ModelError, stream } from '@dynaprompt/core';
import { Emitter, floatsOf, openSession, type Graph, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from './package-name.js';
import { PACKAGE_NAME as TEMPLATES } from './templates/common/package-name.js';
import * as patches from './templates/patches/model.js';
import { contentInputs as pictures } from './templates/patches/inputs.js';
import { ACTIVE } from './templates/patches/placement.js';
import { readConfig } from './templates/sequence/config.js';
import { readConfig as readPatchConfig } from './templates/patches/config.js';
import { readModel, type AdapterNameModel } from './templates/sequence/model.js';
import { contentInputs as tokenInputs } from './templates/tokens/inputs.js';
import { contentInputs as valueInputs } from './templates/values/inputs.js';

/** What running a model shows. */
export interface Behaviour {
  /** Rows see those in front of them only. */
  readonly isCausal: boolean;
  /** Where a row stands changes what the model makes of it. */
  readonly hasPositions: boolean;
  /** It can be told which rows are padding. */
  readonly masksPadding: boolean;
  /** Extents of an example of `patches`. */
  readonly extents: readonly number[];
}

const STEPS = 6;
/** Parts of the largest value. */
const SAME = 1e-5;

/**
 * Runs a model by means of the adapter that is going to be made for it.
 * @param config config.json.
 * @throws ModelError if it takes inputs that the adapter does not fill, or its last hidden state is not as wide as its embeddings.
 */
export async function measure(
  file: string,
  kind: PromptEntryPlace['kind'],
  config: string,
): Promise<Behaviour> {
  try {
    return await (kind === 'patches' ? measurePatches(file, config) : measureSequence(file, kind, config));
  } catch (failure) {
    if (!(failure instanceof ModelError) || failure.packageName !== TEMPLATES) throw failure;
    const { subject, problem, remedy } = failure;
    throw new ModelError({ packageName: PACKAGE_NAME, subject, problem, remedy, cause: failure });
  }
}

async function measurePatches(file: string, config: string): Promise<Behaviour> {
  const model = await patches.readModel(file, readPatchConfig(config));
  const { extents, patches: found } = model;
  const values = new Float32Array(extents.reduce((product, extent) => product * extent, 1));
  const arranged = arrangeSequences([{ before: 0, content: model.rows, after: 0 }], undefined, 'hard');
  const inputs = pictures({ model, examples: [{ values }], arranged });
  const own = Object.fromEntries(Object.entries(inputs).filter(([name]) => name !== ACTIVE));
  await hiddenRows(model, own);
  return { isCausal: false, hasPositions: found.positions !== undefined, masksPadding: true, extents };
}

async function measureSequence(file: string, kind: 'tokens' | 'values', config: string): Promise<Behaviour> {
  const model = await readModel(file, readConfig(config));
  const hidden = await hiddenRows(model, sequenceInputs(model, kind));
  return { ...compare(hidden, model.width), masksPadding: model.masksPadding, extents: [] };
}

/** A sequence; the same with another last row; its rows turned by one. */
function sequenceInputs(model: AdapterNameModel, kind: 'tokens' | 'values'): Record<string, TensorValue> {
  const layout = { before: 0, content: STEPS, after: 0 };
  const arranged = arrangeSequences([layout, layout, layout], undefined, 'hard');
  const random = stream(1, 'rows of a model');
  const variants = <T>(rows: readonly T[], other: T): readonly (readonly T[])[] => [
    rows,
    [...rows.slice(0, -1), other],
    [...rows.slice(1), ...rows.slice(0, 1)],
  ];
  if (kind === 'tokens') {
    const ids = drawIds(model, STEPS + 1);
    const examples = variants(ids.slice(0, STEPS), ids[STEPS] ?? 0).map((own) => ({ ids: own }));
    return tokenInputs({ model, examples, arranged });
  }
  const { channels = 1 } = model.entry;
  const steps = Array.from({ length: STEPS + 1 }, () =>
    Array.from({ length: channels }, () => random.normal()),
  );
  const examples = variants(steps.slice(0, STEPS), steps[STEPS] ?? []).map((own) => ({
    values: Float32Array.from(own.flat()),
  }));
  return valueInputs({ model, examples, arranged });
}

/** Different ids, padding not among them. */
export function drawIds(
  { entry, padId }: Pick<AdapterNameModel, 'entry' | 'padId'>,
  count: number,
): readonly number[] {
  const { vocabulary = 1 } = entry;
  const random = stream(1, 'token ids');
  const ids = new Set<number>();
  const known = vocabulary - (padId < vocabulary ? 1 : 0);
  while (ids.size < Math.min(count, known)) {
    const id = Math.floor(random.uniform() * vocabulary);
    if (id !== padId) ids.add(id);
  }
  return Array.from({ length: count }, (_, index) => [...ids][index % ids.size] ?? 0);
}

/** [B, rows, d] last hidden states. */
async function hiddenRows(
  model: { readonly graph: Graph; readonly hidden: string; readonly width: number; readonly file: string },
  inputs: Readonly<Record<string, TensorValue>>,
): Promise<Float32Array> {
  const graph = model.graph.clone();
  graph.outputs.clear();
  new Emitter(graph).output('hidden_rows', model.hidden);
  const session = await openSession(graph, { threads: 1, prepack: false });
  try {
    const { hidden_rows: rows } = await session.run(inputs);
    const width = rows?.dims[2];
    if (width === model.width) return floatsOf(rows);
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: model.file,
      problem: `its last hidden state is ${width ?? '?'} wide and its embeddings ${model.width}, and prompts and features have one width`,
      remedy: 'Write the adapter by hand: put prompts behind the projection',
    });
  } finally {
    await session.release();
  }
}

/** @param hidden of {@link sequenceInputs}. */
function compare(hidden: Float32Array, width: number): Pick<Behaviour, 'isCausal' | 'hasPositions'> {
  const size = STEPS * width;
  const [plain, other, turned] = [0, 1, 2].map((index) => hidden.subarray(index * size, (index + 1) * size));
  const scale = hidden.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const distance = (left: readonly number[], right: readonly number[]): number =>
    left.reduce((most, value, index) => Math.max(most, Math.abs(value - (right[index] ?? 0))), 0);
  const seen = (rows: Float32Array | undefined): number[] => [...(rows?.subarray(0, size - width) ?? [])];
  const mean = (rows: Float32Array | undefined): number[] =>
    Array.from({ length: width }, (_, column) =>
      Array.from({ length: STEPS }, (_, row) => (rows?.[row * width + column] ?? 0) / STEPS).reduce(
        (sum, value) => sum + value,
        0,
      ),
    );
  const isCausal = distance(seen(plain), seen(other)) <= SAME * scale;
  return { isCausal, hasPositions: isCausal || distance(mean(plain), mean(turned)) > SAME * scale };
}
