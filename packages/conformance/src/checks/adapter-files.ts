import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDynamicPrompt, featureStatistics, nullThrows, selectBackend } from '@dynaprompt/core';
import { distance, isSame } from '../numbers.js';
import type { Check } from './check.js';

const CONTRACT = 'an adapter that was saved and loaded answers with the same bits';

/** A tuned prompt on its way through files. */
export const adapterFiles: Check = {
  title: 'answers with the same bits when an adapter was saved and loaded',
  applies: ({ options }) => options.training !== undefined,
  async run(subject) {
    const { backbone, batch, capabilities, head, normals, slots, options } = subject;
    const training = nullThrows(options.training, 'the check applies');
    await selectBackend();
    const { examples } = batch;
    const features = await backbone.features(examples);
    const prompt = await createDynamicPrompt(
      {
        slots,
        representation: { kind: 'select', pool: 2 },
        ...(capabilities.position ? { position: { level: 'instance' } } : {}),
      },
      {
        width: backbone.width,
        seed: 1,
        layers: backbone.description.layers,
        rows: (count, offset) => backbone.promptRows(count, offset),
        featureStatistics: featureStatistics(features, backbone.width),
      },
    );
    // As if it had been trained: examples choose differently.
    for (const [name, { values }] of prompt.parameters) {
      const noise = normals(`adapter ${name}`, values.length);
      values.forEach((value, index) => (values[index] = value + 0.3 * (noise[index] ?? 0)));
    }
    const { plan } = prompt.plan(features, examples.length, { training: false });
    const expected = await backbone.predict(examples, plan, head);
    const folder = await mkdtemp(join(tmpdir(), 'dynaprompt-conformance-'));
    try {
      const adapter = training.adapterOf(
        {
          method: 'conformance',
          configuration: prompt.configuration,
          seed: 1,
          steps: 0,
          bestStep: 0,
          parameters: { prompt: prompt.parameters, head, weights: new Map() },
          bestParameters: { prompt: prompt.parameters, head, weights: new Map() },
          featureStatistics: prompt.featureStatistics,
          optimiser: { step: 0, tensors: new Map() },
        },
        { backbone, head: { kind: 'linear' }, task: { name: 'conformance', metric: 'accuracy' } },
      );
      await training.saveAdapter(folder, adapter);
      const loaded = await training.loadAdapter(folder, { backbone });
      const restored = await training.restorePrompt(loaded);
      const again = restored.plan(await backbone.features(examples), examples.length, { training: false });
      const found = await backbone.predict(examples, again.plan, loaded.parameters.head);
      if (isSame(found, expected)) return;
      const problem = `its logits are ${distance(found, expected).toPrecision(3)} from those before`;
      throw subject.broken('loadAdapter', problem, CONTRACT);
    } catch (failure) {
      if (failure instanceof Error && failure.name === 'ConformanceError') throw failure;
      const said = failure instanceof Error ? failure.message : String(failure);
      throw subject.broken('saveAdapter and loadAdapter', said, CONTRACT, failure);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
