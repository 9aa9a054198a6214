import { type Application, versionsOf } from '@dynaprompt/runner';

/** What this application says about itself. */
export const application: Application = {
  name: 'vqa',
  program: 'dynaprompt-vqa',
  command: 'npm run vqa --',
  versions: versionsOf(new URL('../package.json', import.meta.url), [
    { name: 'onnxruntime-node', packageName: 'onnxruntime-node', owner: '@dynaprompt/clip' },
    { name: 'sharp', packageName: 'sharp', owner: '@dynaprompt/vision' },
    { name: 'openmoji', packageName: 'openmoji', owner: '@dynaprompt/benchmarks' },
    { name: 'tfjs', packageName: '@tensorflow/tfjs-core', owner: '@dynaprompt/core' },
  ]),
  pipeline: 'visual-question-answering',
  input: 'the question or the patches',
  faults: 'questions',
};
