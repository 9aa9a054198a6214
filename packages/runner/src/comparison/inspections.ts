import {
  type ExamplePrediction,
  type InspectedPart,
  type Inspection,
  isRight,
  MOST_INSPECTIONS,
  type RunPredictions,
} from '@dynaprompt/benchmarks';
import { collapse, nullThrows } from '@dynaprompt/core';
import { type Evaluation, restorePrompt } from '@dynaprompt/training';

import { type InspectedPrompt, inspectedPrompt } from '../adapter/inspected-prompt.js';
import { promptedSequence } from '../adapter/prompted-sequence.js';
import type { OpenTask } from '../domain.js';
import type { Run } from './runs.js';

/** A run that is looked at, on one of its tasks. */
interface InspectedRun<Example> {
  readonly run: Run;
  readonly task: OpenTask<Example>;
  readonly index: number;
  readonly predictions: RunPredictions;
}

/**
 * A few validation examples, wrong and right ones, of the first seed of every method with a prompt: how they were read and answered
 * after the last step. Empty where the domain does not show its examples.
 */
export async function inspectionsOf<Example>(
  runs: ReadonlyMap<string, readonly Run[]>,
  tasks: readonly OpenTask<Example>[],
  predictions: readonly RunPredictions[],
): Promise<readonly Inspection[]> {
  const inspected = [...runs.values()].flatMap(([run]) =>
    run?.configuration === undefined
      ? []
      : tasks.flatMap((task, index): readonly InspectedRun<Example>[] => {
          const own = predictions.find(
            (each) =>
              each.method === run.method &&
              each.seed === run.seed &&
              (each.task ?? task.data.name) === task.data.name,
          );
          return own === undefined || task.show === undefined ? [] : [{ run, task, index, predictions: own }];
        }),
  );
  const inspections: Inspection[] = [];
  for (const [place, one] of inspected.entries()) {
    const room = Math.floor((MOST_INSPECTIONS - inspections.length) / (inspected.length - place));
    inspections.push(...(await inspectRun(one, room)));
  }
  return inspections;
}

async function inspectRun<Example>(
  { run, task, index, predictions }: InspectedRun<Example>,
  most: number,
): Promise<readonly Inspection[]> {
  const { data, show } = task;
  const evaluation = nullThrows(run.evaluations[index], 'every task was evaluated');
  const adapter = run.adapters.find((each) => each.task.name === data.name);
  const prompt = adapter && collapse(await restorePrompt(adapter));
  const inspections: Inspection[] = [];
  for (const place of chosen(predictions.examples, most)) {
    const answer = nullThrows(predictions.examples[place], 'a place in the list');
    const { example } = nullThrows(data.validation[place], 'predictions are of the examples');
    const seen = await show?.(example, { method: run.method, prediction: answer.prediction });
    if (seen === undefined) continue;
    const placed = prompt && inspectedPrompt(prompt, { choice: choiceAt(evaluation, place) });
    inspections.push({
      method: run.method,
      seed: run.seed,
      ...(predictions.task === undefined ? {} : { task: predictions.task }),
      id: answer.id,
      ...namesOf(answer, data.labels),
      ...(seen.label === undefined ? {} : { label: seen.label }),
      input: seen.input,
      prompt: placed === undefined ? null : promptPart(placed),
      sequence: joined(promptedSequence(seen, placed)),
      ...(seen.beside && {
        beside: joined(promptedSequence(seen.beside, seen.beside.isPrompted ? placed : undefined)),
      }),
    });
  }
  return inspections;
}

/** Places of examples, evenly spread: half of them wrong ones, where there are so many, the rest right ones. */
export function chosen(examples: readonly ExamplePrediction[], most: number): readonly number[] {
  const places = examples.map((_, place) => place);
  const isWrong = (place: number): boolean => !isRight(nullThrows(examples[place], 'a place in the list'));
  const wrong = spread(places.filter(isWrong), Math.floor(most / 2));
  const right = spread(
    places.filter((place) => !isWrong(place)),
    most - wrong.length,
  );
  return [...wrong, ...right].sort((left, other) => left - other);
}

function spread(places: readonly number[], most: number): readonly number[] {
  const count = Math.min(most, places.length);
  return Array.from({ length: count }, (_, index) =>
    nullThrows(places[Math.floor((index * places.length) / count)], 'inside the list'),
  );
}

function choiceAt(
  { choices, poolWeights, predictions }: Evaluation,
  place: number,
): Parameters<typeof inspectedPrompt>[1]['choice'] {
  const entries = (poolWeights?.length ?? 0) / predictions.length;
  return {
    position: choices?.position[place] ?? 0,
    length: choices?.length[place] ?? 0,
    weights: poolWeights && [...poolWeights.subarray(place * entries, (place + 1) * entries)],
  };
}

function promptPart({
  slots,
  length,
  layers,
  position,
  choice,
  weights,
}: InspectedPrompt): NonNullable<Inspection['prompt']> {
  const { mode, candidates } = position;
  return { slots, length, layers, position: { mode, candidates, choice }, weights: weights ?? null };
}

/** Answers by name; a number stands for itself, and a candidate for its place. */
function namesOf(
  answer: ExamplePrediction,
  labels: readonly string[],
): Pick<Inspection, 'label' | 'prediction' | 'isRight' | 'probabilities'> {
  const { label, prediction, probabilities } = answer;
  if (probabilities === null) {
    return { label: label.toFixed(3), prediction: prediction.toFixed(3), isRight: null, probabilities };
  }
  const nameOf = (index: number): string => labels[index] ?? `candidate ${index + 1}`;
  return {
    label: nameOf(label),
    prediction: nameOf(prediction),
    isRight: isRight(answer),
    probabilities: probabilities.map((probability, index) => [nameOf(index), probability]),
  };
}

/** Patches that follow each other as one part. */
export function joined(parts: readonly InspectedPart[]): InspectedPart[] {
  const result: InspectedPart[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (typeof part === 'object' && 'patches' in part && typeof last === 'object' && 'patches' in last) {
      const [first, count] = last.patches;
      if (first + count === part.patches[0]) {
        result[result.length - 1] = { patches: [first, count + part.patches[1]] };
        continue;
      }
    }
    result.push(part);
  }
  return result;
}
