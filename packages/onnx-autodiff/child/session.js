// A process of its own for one onnxruntime session (src/session/isolated-session.ts). Plain JavaScript, because sources and
// build alike start it, and a process has no loader of TypeScript.
import { URL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

// The main thread hears nothing while onnxruntime computes; another one has to notice that the parent is gone.
new Worker(new URL('./end-with-parent.js', import.meta.url)).unref();
process.once('disconnect', () => process.exit());

/** @type {InferenceSession | undefined} */
let session;

/** Answers one request of the parent: `load` once, then `run`. */
async function answer({ kind, model, options, feeds }) {
  if (kind === 'load') {
    session = await InferenceSession.create(model, options);
    return {};
  }
  const tensors = Object.entries(feeds).map(([name, { type, data, dims }]) => [
    name,
    new Tensor(type, data, dims),
  ]);
  const results = await session.run(Object.fromEntries(tensors));
  // Sequences and maps have no data; without them the parent refuses the output by name.
  const values = Object.entries(results).filter(([, value]) => 'data' in value);
  return Object.fromEntries(values.map(([name, { type, data, dims }]) => [name, { type, data, dims }]));
}

process.on('message', async (request) => {
  let reply;
  try {
    reply = { results: await answer(request) };
  } catch (error) {
    reply = { failure: error instanceof Error ? error.message : String(error) };
  }
  if (process.connected) process.send(reply);
});
