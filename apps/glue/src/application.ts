import { type Application, versionsOf } from '@dynaprompt/runner';

/** What this application says about itself. */
export const application: Application = {
  name: 'glue',
  program: 'dynaprompt-glue',
  command: 'npm run glue --',
  versions: versionsOf(new URL('../package.json', import.meta.url), [
    { name: 'onnxruntime-node', packageName: 'onnxruntime-node', owner: '@dynaprompt/onnx-autodiff' },
    { name: 'transformers', packageName: '@huggingface/transformers', owner: '@dynaprompt/text' },
    { name: 'tfjs', packageName: '@tensorflow/tfjs-core', owner: '@dynaprompt/core' },
  ]),
  pipeline: 'text-classification',
  input: 'the text',
  faults: 'bad rows',
};
