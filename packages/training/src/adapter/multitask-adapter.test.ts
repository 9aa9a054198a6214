import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from '@jest/globals';

import { selectBackend } from '@dynaprompt/core';

import { FeatureCache } from '../features/features.js';
import { ToyBackbone } from '../testing/toy-backbone.test.fixture.js';
import { accuracy, toyTask } from '../testing/toy-task.test.fixture.js';
import { methodNamed } from '../training/method.js';
import { trainMultitask } from '../training/train-multitask.js';
import { adapterOfTask } from './adapter.js';
import { loadAdapter } from './load-adapter.js';
import { restorePrompt } from './restore.js';
import { saveAdapter } from './save-adapter.js';

it('keeps the shared prompt and the head of a task, bit for bit', async () => {
  await selectBackend();
  const backbone = new ToyBackbone();
  const features = new FeatureCache(backbone, { folder: false });
  const tasks = ['one', 'two'].map((name, index) => ({
    name,
    backbone,
    features,
    train: toyTask(16, 1 + index),
    validation: toyTask(8, 5 + index),
    metric: accuracy,
  }));
  const method = methodNamed('dynamic', { slots: 4 });
  const result = await trainMultitask({ tasks, method, seed: 1, steps: 20 });
  const folder = await mkdtemp(join(tmpdir(), 'dynaprompt-multitask-'));
  try {
    for (const [index, { name, validation }] of tasks.entries()) {
      const context = { backbone, head: { kind: 'linear' }, task: { name, metric: 'accuracy' } };
      const place = join(folder, name);
      await saveAdapter(place, adapterOfTask(result, index, context));
      const adapter = await loadAdapter(place, { backbone });
      expect(adapter).toMatchObject({ task: { name, index }, configuration: { tasks: 2 } });
      const prompt = await restorePrompt(adapter);
      const examples = validation.map(({ example }) => example);
      const options = { training: false, task: adapter.task.index } as const;
      const { plan } = prompt.plan(await backbone.features(examples), examples.length, options);
      const logits = await backbone.predict(examples, plan, adapter.parameters.head);
      expect(logits).toEqual(result.tasks[index]?.evaluation.logits);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
