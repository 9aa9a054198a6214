import { ConfigurationError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';

/** A part of a wording: fixed words, the place of the mask, or one of the example's texts. */
export type TemplatePart =
  { readonly kind: 'words'; readonly words: string } | { readonly kind: 'text' | 'pair' | 'mask' };

/**
 * Parses a wording such as `{text} It was {mask} .`; `{pair}` stands for the second text of a pair.
 * @throws ConfigurationError if `{text}` is missing, `{mask}` does not stand exactly once, or a place is unknown.
 */
export function parseTemplate(template: string): readonly TemplatePart[] {
  const parts = partsOf(template);
  checkTexts(template, parts);
  if (count(parts, 'mask') !== 1) throw invalid(template, '{mask} has to stand in it once');
  return parts;
}

/**
 * Parses the wording of a question that the model goes on from: `{text} It was`. A `{mask}` at its end is left out.
 * @throws ConfigurationError if `{text}` is missing, something stands behind `{mask}`, or a place is unknown.
 */
export function parseQuestion(template: string): readonly TemplatePart[] {
  const parts = partsOf(template);
  checkTexts(template, parts);
  const asked = parts.at(-1)?.kind === 'mask' ? parts.slice(0, -1) : parts;
  if (count(asked, 'mask') > 0)
    throw invalid(template, 'the model goes on from its end, so nothing can stand behind {mask}');
  return asked;
}

function count(parts: readonly TemplatePart[], kind: TemplatePart['kind']): number {
  return parts.filter((part) => part.kind === kind).length;
}

function checkTexts(template: string, parts: readonly TemplatePart[]): void {
  if (count(parts, 'text') !== 1) throw invalid(template, '{text} has to stand in it once');
  if (count(parts, 'pair') > 1) throw invalid(template, '{pair} stands in it more than once');
}

function partsOf(template: string): readonly TemplatePart[] {
  return template
    .split(/(\{\w*\})/)
    .filter((part) => part.trim() !== '')
    .map((part): TemplatePart => {
      if (!part.startsWith('{')) return { kind: 'words', words: part };
      if (part === '{text}') return { kind: 'text' };
      if (part === '{pair}') return { kind: 'pair' };
      if (part === '{mask}') return { kind: 'mask' };
      throw invalid(template, `${part} is no place`);
    });
}

function invalid(template: string, problem: string): ConfigurationError {
  return new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: `template "${template}"`,
    problem,
    remedy: 'Write it like "{text} It was {mask} ."',
  });
}
