import type { VqaMeasure } from '../types.js';
import { contractions } from './contractions.js';

/** Marks that become a space, or nothing; not among them: apostrophe, colon, full stop. */
const punctuation = '; / [ ] " { } ( ) = + \\ _ - > < @ ` , ? !'.split(' ');

const numberWords: ReadonlyMap<string, string> = new Map([
  ['none', '0'],
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'].map(
    (word, number): [string, string] => [word, `${number}`],
  ),
]);

const articles: ReadonlySet<string> = new Set(['a', 'an', 'the']);

/** An answer in the form in which answers are compared under a measure. */
export function answerForm(answer: string, measure: VqaMeasure): string {
  return measure === 'soft' ? normaliseAnswer(answer) : answer.trim().toLowerCase();
}

/**
 * An answer as the VQA evaluation compares it (Antol et al. 2015; https://visualqa.org/evaluation.html): lower case, number words
 * up to ten as digits, no articles, contractions with their apostrophes, no full stop unless a digit follows it, and a space in
 * place of every other mark but apostrophe and colon.
 *
 * As the public evaluation has it, a mark that stands beside a space somewhere in the answer is taken away everywhere (`red, white`
 * becomes `red white`), and a comma between two digits takes all marks away (`1,000-piece` becomes `1000piece`).
 */
export function normaliseAnswer(answer: string): string {
  const text = answer.replace(/[\n\t]/g, ' ').trim();
  return withoutPunctuation(text)
    .toLowerCase()
    .split(/\s+/)
    .map((word) => numberWords.get(word) ?? word)
    .filter((word) => word !== '' && !articles.has(word))
    .map((word) => contractions.get(word) ?? word)
    .join(' ');
}

function withoutPunctuation(text: string): string {
  const hasGroupedNumber = /\d,\d/.test(text);
  const bare = punctuation.reduce((rest, mark) => {
    const isLoose = hasGroupedNumber || text.includes(`${mark} `) || text.includes(` ${mark}`);
    return rest.replaceAll(mark, isLoose ? '' : ' ');
  }, text);
  return bare.replace(/\.(?!\d)/g, '');
}
