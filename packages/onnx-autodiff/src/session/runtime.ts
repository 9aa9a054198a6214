import type * as Runtime from 'onnxruntime-node';

import { RuntimeMissingError } from '../errors.js';

// The one door to onnxruntime: nothing else of the package imports it.
const { InferenceSession, listSupportedBackends, Tensor: RuntimeTensor } = await load();

export { InferenceSession, listSupportedBackends, RuntimeTensor };
export type RuntimeValues = Runtime.InferenceSession.OnnxValueMapType;
export type RuntimeOptions = Runtime.InferenceSession.SessionOptions;

/** npm leaves out optional packages whose install script fails, as this one's does where it cannot download CUDA libraries. */
async function load(): Promise<typeof Runtime> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new RuntimeMissingError({
      subject: 'onnxruntime-node',
      problem: `it is not installed, or its library cannot be loaded: ${cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)}`,
      remedy:
        'Run `npm install --ignore-scripts`: its install script downloads CUDA libraries, which the CPU needs none of, and fails where it cannot',
      cause,
    });
  }
}
