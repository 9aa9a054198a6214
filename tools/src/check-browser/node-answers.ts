import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { floatsOf, Graph, int64, openSession } from '@dynaprompt/onnx-autodiff';

/** A token as the vocabulary spells it, or a prompt token by its number. */
export type SequencePart = string | { readonly prompt: number };

/** A text as `inspect` of the adapter reads and places it. */
export interface InspectedText {
  readonly text: string;
  readonly sequence: readonly SequencePart[];
}

/** What an exported model says of a text in Node. */
export interface NodeAnswer extends InspectedText {
  /** Class name and probability, in label order. */
  readonly probabilities: readonly (readonly [string, number])[];
  readonly position: number;
  readonly length: number;
}

/** Runs an exported folder in onnxruntime, on the tokens that the adapter's own tokeniser makes. */
export async function nodeAnswers(folder: string, texts: readonly InspectedText[]): Promise<NodeAnswer[]> {
  const { model } = readJson(join(folder, 'tokenizer.json')) as {
    readonly model: { readonly vocab: Readonly<Record<string, number>> };
  };
  const { labels } = readJson(join(folder, 'dynamic_prompt.json')) as { readonly labels: readonly string[] };
  const session = await openSession(Graph.read(join(folder, 'onnx/model.onnx')));
  const answers: NodeAnswer[] = [];
  for (const inspected of texts) {
    const tokens = inspected.sequence.filter((part) => typeof part === 'string');
    const ids = tokens.map((token) => model.vocab[token] ?? NaN);
    const row = (values: readonly number[]) => int64(values, [1, values.length]);
    const outputs = await session.run({
      input_ids: row(ids),
      attention_mask: row(ids.map(() => 1)),
      token_type_ids: row(ids.map(() => 0)),
    });
    const powers = Array.from(floatsOf(outputs.logits), Math.exp);
    const sum = powers.reduce((left, right) => left + right, 0);
    answers.push({
      ...inspected,
      probabilities: labels.map((label, index) => [label, (powers[index] ?? NaN) / sum]),
      position: Number(outputs.prompt_position?.data[0]),
      length: Number(outputs.prompt_length?.data[0]),
    });
  }
  await session.release();
  return answers;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
