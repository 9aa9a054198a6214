import type { SessionCache } from '@dynaprompt/backbone';
import { Emitter, floatsOf, openSession, type Session } from '@dynaprompt/onnx-autodiff';
import { asDeclared } from '../sequence/declared-inputs.js';
import type { AdapterNameModel } from '../sequence/model.js';

/** A wish for rows to start prompts from. */
export interface StartRows {
  readonly model: AdapterNameModel;
  readonly sessions: SessionCache;
  readonly count: number;
  readonly offset: number;
}

const ROWS = 'start_rows';

/** Embeddings of consecutive ids, [count, d]. */
export async function startRows({ model, sessions, count, offset }: StartRows): Promise<Float32Array> {
  const { graph, entry } = model;
  const { vocabulary = 1 } = entry;
  const lookup = await sessions.get(ROWS, () => openLookup(model));
  const ids = Int32Array.from({ length: count }, (_, index) => (offset + index) % vocabulary);
  return floatsOf(
    (await lookup.run({ [entry.input]: asDeclared(graph, entry.input, ids, [1, count]) }))[ROWS],
  );
}

/** The lookup alone. */
function openLookup({ graph: original, entry, embeddings }: AdapterNameModel): Promise<Session> {
  const graph = original.clone();
  graph.outputs.clear();
  new Emitter(graph).output(ROWS, embeddings);
  for (const name of original.inputs.keys()) if (name !== entry.input) graph.inputs.delete(name);
  graph.prune();
  return openSession(graph, { prepack: false });
}
