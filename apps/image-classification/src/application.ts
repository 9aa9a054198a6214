import { type Application, versionsOf } from '@dynaprompt/runner';

/** What this application says about itself. */
export const application: Application = {
  name: 'image-classification',
  program: 'dynaprompt-image-classification',
  command: 'npm run image-classification --',
  versions: versionsOf(new URL('../package.json', import.meta.url), [
    { name: 'onnxruntime-node', packageName: 'onnxruntime-node', owner: '@dynaprompt/onnx-autodiff' },
    { name: 'sharp', packageName: 'sharp', owner: '@dynaprompt/vision' },
    { name: 'tfjs', packageName: '@tensorflow/tfjs-core', owner: '@dynaprompt/core' },
  ]),
  pipeline: 'image-classification',
  input: 'the patches',
  faults: 'pictures',
};
