import { float32, floatsOf, Graph, openSession, type TensorValue } from '@dynaprompt/onnx-autodiff';

/** A file as it is, and its first output. */
export interface OpenFile {
  run(feeds: Readonly<Record<string, TensorValue>>): Promise<Float32Array>;
  release(): Promise<void>;
}

/**
 * Opens a file to run without a cache: inputs of one are empty, and a merged decoder takes its other branch. What it does not
 * take is left out of the feeds.
 */
export async function openUncached(file: string): Promise<OpenFile> {
  const graph = Graph.read(file);
  const inputs = [...graph.inputs.values()];
  const [first = ''] = graph.outputs.keys();
  const session = await openSession(graph, { threads: 1, optimization: 'disabled' });
  return {
    async run(feeds) {
      const values = inputs.map(({ name, dims = [] }): readonly [string, TensorValue] => {
        const given = feeds[name];
        if (given) return [name, given];
        if (name === 'use_cache_branch') return [name, { type: 'bool', dims: [1], data: Uint8Array.of(0) }];
        const extents = dims.map((extent, axis) =>
          axis === 0 ? 1 : typeof extent === 'number' ? extent : 0,
        );
        return [name, float32(new Float32Array(), extents)];
      });
      return floatsOf((await session.run(Object.fromEntries(values)))[first]);
    },
    release: () => session.release(),
  };
}
