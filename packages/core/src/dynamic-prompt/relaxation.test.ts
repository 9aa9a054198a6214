import { beforeAll, describe, it } from '@jest/globals';
import { selectBackend } from '../backend/select-backend.js';
import type { BackendPackage } from '../backend/select-backend.js';
import type { PromptConfigurationInput } from '../configuration.js';
import { expectTrueGradients, tryOut } from '../testing/compare-gradients.test.fixture.js';

const everything = {
  slots: 3,
  position: { level: 'instance' },
  length: { level: 'instance', penalty: 0.3, initialProbability: 0.4 },
  representation: { kind: 'select', pool: 3 },
  initialisation: { kind: 'uniform' },
} as const;

const cases: [string, PromptConfigurationInput][] = [
  ['all factors by instance', everything],
  ['ReLU on the logits', { ...everything, reluLogits: true }],
  ['a balanced pool', { ...everything, representation: { kind: 'select', pool: 3, balance: 0.7 } }],
  [
    'a balanced pool of hard choices',
    { ...everything, representation: { kind: 'select', pool: 3, mixture: 'hard', balance: 0.7 } },
  ],
  ['a balanced pool of a task', { ...everything, representation: { kind: 'select', balance: 2 }, tasks: 3 }],
  ['deep prompts', { ...everything, layers: 'all' }],
  ['a perceptron', { ...everything, reparameterisation: { kind: 'mlp', hidden: 4 } }],
  [
    'a deep generated prompt through a perceptron',
    {
      ...everything,
      layers: 2,
      representation: { kind: 'generate', rank: 2 },
      reparameterisation: { kind: 'mlp', hidden: 4 },
      tasks: 2,
    },
  ],
];

describe.each(['@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-backend-cpu'] as BackendPackage[])(
  'gradients on %s agree with differences of the soft relaxation',
  (packageName) => {
    beforeAll(async () => {
      await selectBackend({ packageName });
    });

    it.each(cases)('with %s', async (_, input) => {
      expectTrueGradients(await tryOut(input));
    });
  },
);
