import { Emitter, Graph, openSession, type TensorValue } from '@dynaprompt/onnx-autodiff';

/** A graph without nodes. */
export function emptyGraph(): Graph {
  const graph = { name: 'test', nodes: [], initializers: [], inputs: [], outputs: [] };
  const model = { irVersion: 8, producer: 'test', opsets: new Map([['', 17]]), graph, functions: [] };
  return new Graph(model, 'test model');
}

/** Runs what `build` emits; it returns tensors by the names of the results. */
export async function evaluate(
  feeds: Readonly<Record<string, TensorValue>>,
  build: (emit: Emitter) => Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, TensorValue>>> {
  const emit = new Emitter(emptyGraph());
  for (const [name, { type, dims }] of Object.entries(feeds)) {
    emit.input({ name, dataType: type === 'int64' ? 7 : 1, dims: dims.map((_, axis) => `${name}.${axis}`) });
  }
  for (const [name, tensor] of Object.entries(build(emit))) emit.output(name, tensor, 0);
  emit.graph.prune();
  const session = await openSession(emit.graph, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** Values of an int64 result. */
export function integers(value: TensorValue | undefined): number[] {
  return Array.from(value?.data as BigInt64Array, Number);
}
