import { candidateInputs, type LabelledExample, rightCandidates } from '@dynaprompt/benchmarks';
import type { TextExample } from '@dynaprompt/text';
import type { TrainingExample } from '@dynaprompt/training';

/** An example as it is trained on. Candidates become texts that can follow the example's own. */
export function trainingExample(example: LabelledExample): TrainingExample<TextExample & LabelledExample> {
  const { id, label, target, candidates } = example;
  if (target !== undefined) return { id, example, label, target };
  if (candidates === undefined) return { id, example, label };
  const choices = candidateInputs(example).map(({ pair }) => pair);
  const alsoRight = rightCandidates(example).filter((candidate) => candidate !== label);
  return { id, example: { ...example, choices }, label, ...(alsoRight.length > 0 && { alsoRight }) };
}
