import { ConfigurationError } from '@dynaprompt/core';
import { packageName } from '../../package-name.js';

/**
 * How question and answer become one text that a model scores against the picture: a template with `{question}` and `{answer}`, or
 * `declarative`, a sentence where a rule knows the question (`is there a cat?`, `no` → `there is no cat`), `QUESTION? ANSWER` else.
 */
export type StatementStyle = 'declarative' | (string & {});

/** The usual template. */
export const questionAnswer = 'question: {question} answer: {answer}';

/** A rule makes a sentence of the groups of its pattern and the answer; undefined where it does not fit the answer. */
interface Rule {
  readonly pattern: RegExp;
  readonly sentence: (answer: string, ...groups: readonly string[]) => string | undefined;
}

/** Rules for questions in lower case, without their question mark; the first that fits is taken. */
const rules: readonly Rule[] = [
  {
    // is there a cat · are there any cats
    pattern: /^(is|are) there (?:a |an |any )?(.+)$/,
    sentence: (answer, verb, thing) =>
      yesNo(
        answer,
        `there ${verb} ${verb === 'is' ? withArticle(thing) : thing}`,
        `there ${verb} no ${thing}`,
      ),
  },
  {
    // is it raining · are these apples: a pronoun is the whole subject
    pattern: /^(is|are|was|were|does|do|did|can|has|have) (this|that|it|he|she|they|these|those) (.+)$/,
    sentence: (answer, verb, subject, rest) => affirmed(answer, verb, subject, rest),
  },
  {
    pattern: /^how many (.+?) (are|were) there$/,
    sentence: (n, things, verb) => `there ${verb} ${n} ${things}`,
  },
  {
    pattern: /^how many (.+?) (?:are|is|can be seen|do you see)(?: (.+))?$/,
    sentence: (n, things, rest) => `${n} ${things}${after(rest)}`,
  },
  {
    pattern: /^what colou?r (is|are|was|were) behind (.+)$/,
    sentence: (answer, verb, thing) => `${answer} ${verb} behind ${thing}`,
  },
  {
    pattern: /^what colou?r (is|are|was|were) (.+)$/,
    sentence: (answer, verb, thing) => `${thing} ${verb} ${answer}`,
  },
  {
    pattern: /^what (?:kind|type|sort) of (?:thing|object) (is|are) (.+)$/,
    sentence: (answer, verb, thing) => `${thing} ${verb} ${answer}`,
  },
  {
    pattern: /^what (is|are) (this|that|it|these|those)$/,
    sentence: (answer, verb, thing) => `${thing} ${verb} ${noun(verb, answer)}`,
  },
  {
    // what is left of the cat · what is on the table
    pattern:
      /^(?:what|who) (is|are) ((?:to the )?(?:left|right) of|on|in|under|above|below|behind|beside|near|next to|in front of) (.+)$/,
    sentence: (answer, verb, where, thing) => `${noun(verb, answer)} ${verb} ${where} ${thing}`,
  },
];

/**
 * Question and answer as one text, in lower case. Throws a `ConfigurationError` for a template without `{question}` or `{answer}`.
 */
export function statement(question: string, answer: string, style: StatementStyle = questionAnswer): string {
  const asked = question.trim().toLowerCase().replace(/\s+/g, ' ');
  const said = answer.trim().toLowerCase();
  if (style === 'declarative') return declarative(asked.replace(/[?.\s]+$/, ''), said);
  if (!style.includes('{answer}')) {
    throw new ConfigurationError({
      packageName,
      subject: `statement "${style}"`,
      problem: 'it has no {answer}, so that all answers would be the same',
      remedy: `Use declarative, or a template such as "${questionAnswer}"`,
    });
  }
  // Replaced in one go, by functions: neither text is looked into.
  return style.replace(/\{(question|answer)\}/g, (_, name) => (name === 'question' ? asked : said));
}

/** A text for every candidate. */
export function candidateStatements(
  question: string,
  answers: readonly string[],
  style?: StatementStyle,
): readonly string[] {
  return answers.map((answer) => statement(question, answer, style));
}

function declarative(asked: string, answer: string): string {
  for (const { pattern, sentence } of rules) {
    const groups = pattern.exec(asked)?.slice(1);
    // A group that takes no part is undefined.
    const made = groups && sentence(answer, ...groups.map((group: string | undefined) => group ?? ''));
    if (made !== undefined) return made;
  }
  return `${asked}? ${answer}`;
}

function yesNo(answer: string, yes: string, no: string): string | undefined {
  return answer === 'yes' ? yes : answer === 'no' ? no : undefined;
}

/** `is`, `it`, `raining` → `it is raining`, `it is not raining`. */
function affirmed(answer: string, verb = '', subject = '', rest = ''): string | undefined {
  return yesNo(answer, `${subject} ${verb} ${rest}`, `${subject} ${verb} not ${rest}`);
}

/** A noun for the verb: with an article where it is one thing. */
function noun(verb = 'is', answer: string): string {
  return verb === 'is' ? withArticle(answer) : answer;
}

function withArticle(thing = ''): string {
  if (/^(?:a|an|the|some|no|\d+)\b/.test(thing)) return thing;
  return `${/^[aeiou]/.test(thing) ? 'an' : 'a'} ${thing}`;
}

function after(rest = ''): string {
  return rest === '' ? '' : ` ${rest}`;
}
