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
  const parts = template
    .split(/(\{\w*\})/)
    .filter((part) => part.trim() !== '')
    .map((part): TemplatePart => {
      if (!part.startsWith('{')) return { kind: 'words', words: part };
      if (part === '{text}') return { kind: 'text' };
      if (part === '{pair}') return { kind: 'pair' };
      if (part === '{mask}') return { kind: 'mask' };
      throw invalid(template, `${part} is no place`);
    });
  const count = (kind: TemplatePart['kind']): number => parts.filter((part) => part.kind === kind).length;
  if (count('text') !== 1) throw invalid(template, '{text} has to stand in it once');
  if (count('mask') !== 1) throw invalid(template, '{mask} has to stand in it once');
  if (count('pair') > 1) throw invalid(template, '{pair} stands in it more than once');
  return parts;
}

function invalid(template: string, problem: string): ConfigurationError {
  return new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: `template "${template}"`,
    problem,
    remedy: 'Write it like "{text} It was {mask} ."',
  });
}
