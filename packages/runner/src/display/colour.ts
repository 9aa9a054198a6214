/** Marks parts of a text for people. */
export interface Palette {
  /** Text that stands for a prompt. */
  prompt(text: string): string;
  /** Text that counts most. */
  strong(text: string): string;
}

/** Leaves texts as they are. */
export const plainPalette: Palette = { prompt: (text) => text, strong: (text) => text };

const colours: Palette = {
  prompt: (text) => `\u001b[36m${text}\u001b[39m`,
  strong: (text) => `\u001b[1m${text}\u001b[22m`,
};

/** Colours in a terminal, unless `NO_COLOR` (https://no-color.org) is set to anything, or the terminal is a dumb one. */
export function paletteFor(
  { isTTY = false }: { readonly isTTY?: boolean },
  { NO_COLOR = '', TERM = '' }: NodeJS.ProcessEnv,
): Palette {
  return isTTY && NO_COLOR === '' && TERM !== 'dumb' ? colours : plainPalette;
}
