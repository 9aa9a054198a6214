import type { Tokenizer } from '@dynaprompt/text';
import { invalid } from '../dual/options.js';
import type { TokenRow } from '../towers/text-batch.js';
import { parseWording, tokenRow } from '../towers/token-rows.js';

/**
 * Texts of classes in a wording, one for each.
 * @param most tokens of a text without its prompt.
 * @throws ConfigurationError naming a class that is empty or does not fit.
 */
export function classTexts(
  tokenizer: Tokenizer,
  classNames: readonly string[],
  template: string,
  most: number,
): readonly TokenRow[] {
  const wording = parseWording(template, 'class');
  return classNames.map((name) => {
    const row = tokenRow(tokenizer, wording, name);
    if (row.layout.content < 1) throw invalid(`class "${name}"`, 'its name has no token', 'Give it a name');
    if (row.ids.length <= most) return row;
    throw invalid(
      `class "${name}"`,
      `"${template}" with its name has ${row.ids.length} tokens where ${most} fit`,
      'Use a shorter name, a shorter template or fewer prompt slots',
    );
  });
}

/** @throws ConfigurationError if there are fewer than two classes, or two of one name. */
export function checkClassNames(classNames: readonly string[]): void {
  if (classNames.length < 2)
    throw invalid('classNames', `${classNames.length} is not a number of classes`, 'Give at least two names');
  const twice = classNames.find((name, index) => classNames.indexOf(name) !== index);
  if (twice !== undefined)
    throw invalid('classNames', `two classes are called "${twice}"`, 'Give each class a name of its own');
}
