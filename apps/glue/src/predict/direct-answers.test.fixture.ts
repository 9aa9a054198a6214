import { type PlannedBatch, selectBackend } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder, type HeadOptions, type TextExample } from '@dynaprompt/text';
import { loadAdapter, restorePrompt } from '@dynaprompt/training';

/** What an adapter makes of one example, asked of the libraries themselves. */
export interface DirectAnswer {
  readonly probabilities: Readonly<Record<string, number>>;
  /** Absent without a prompt. */
  readonly planned: PlannedBatch | undefined;
}

/** Answers of an adapter of the bundled backbone with four slots at most, one example at a time. */
export async function directAnswers(
  folder: string,
  examples: readonly TextExample[],
): Promise<readonly DirectAnswer[]> {
  await selectBackend();
  const adapter = await loadAdapter(folder);
  const { kind, classes, labels, options } = adapter.head;
  const head = { kind, classes, ...options } as HeadOptions;
  const compute = adapter.backbone.dtype === 'int8' ? 'int8' : 'float32';
  const backbone = await createTextEncoder(miniBert, { head, reserve: 4, compute });
  const prompt = adapter.configuration && (await restorePrompt(adapter));
  const answers: DirectAnswer[] = [];
  for (const example of examples) {
    const features = await backbone.features([example]);
    const planned = prompt?.plan(features, 1, { training: false, task: adapter.task.index });
    const logits = await backbone.predict([example], planned?.plan, adapter.parameters.head);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    const shares = labels.map((label, index) => [label, Math.exp(logits[index] ?? 0) / sum] as const);
    answers.push({ probabilities: Object.fromEntries(shares), planned });
  }
  await backbone.release();
  return answers;
}
