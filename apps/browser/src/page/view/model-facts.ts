import type { ModelDescription } from '../model/description.js';
import { element } from './elements.js';

const LEVELS: Readonly<Record<string, string>> = {
  instance: 'chosen for every text',
  task: 'the same for all texts, learned',
  none: 'not learned',
};

/** What is inside the model, for a list of terms. */
export function modelFacts(description: ModelDescription): HTMLElement[] {
  const { backbone, slots, levels, representation, pool, layers, labels, template, maximumTokens } =
    description;
  const facts: readonly (readonly [string, string])[] = [
    ['frozen model', `${backbone.name} (${backbone.family})`],
    ['prompt', `up to ${slots} tokens${layers > 1 ? `, others in each of ${layers} layers` : ''}`],
    ['position', levelText(levels.position)],
    ['length', levelText(levels.length)],
    ['made by', representationText(representation, pool)],
    ...(description.answer === 'class' ? ([['classes', labels.join(', ')]] as const) : []),
    ...(template === undefined ? [] : ([['wording', template]] as const)),
    ['longest text', `${maximumTokens} tokens`],
  ];
  return facts.flatMap(([name, value]) => [element('dt', '', name), element('dd', '', value)]);
}

function levelText(level: string): string {
  return LEVELS[level] ?? level;
}

function representationText(kind: string, pool: number | undefined): string {
  switch (kind) {
    case 'select':
      return `mixing ${pool ?? 'a pool of'} prompts for every text`;
    case 'generate':
      return 'changing one prompt for every text';
    default:
      return 'one prompt for all texts';
  }
}
