import type { TextOnGround } from './in-page.js';

/** Red, green and blue 0 … 255, and opacity 0 … 1. */
export type Colour = readonly [red: number, green: number, blue: number, opacity: number];

/** Least contrast of text that is not large: WCAG 2.2, success criterion 1.4.3. */
export const LEAST_CONTRAST = 4.5;

/** A colour as browsers compute it: `rgb(…)`, `rgba(…)` or `color(srgb …)`; nothing for what is no colour, such as `none`. */
export function parseColour(text: string): Colour | undefined {
  const [, name = '', inner = ''] = /^(rgba?|color)\((?:srgb )?([^)]*)\)$/.exec(text) ?? [];
  const numbers = inner
    .split(/[\s,/]+/)
    .filter((part) => part !== '')
    .map(Number);
  const [red, green, blue, opacity = 1] = numbers;
  if (red === undefined || green === undefined || blue === undefined) return undefined;
  const scale = name === 'color' ? 255 : 1;
  return [red * scale, green * scale, blue * scale, opacity];
}

/** What is seen where layers lie on each other, the lowest first, on a white screen. */
export function layered(layers: readonly Colour[]): Colour {
  const screen: Colour = [255, 255, 255, 1];
  return layers.reduce<Colour>(
    ([red, green, blue], [r, g, b, opacity]) => [
      r * opacity + red * (1 - opacity),
      g * opacity + green * (1 - opacity),
      b * opacity + blue * (1 - opacity),
      1,
    ],
    screen,
  );
}

/** The contrast of every text with what lies under it. */
export function contrastsOf(
  texts: readonly TextOnGround[],
): { readonly text: string; readonly ratio: number }[] {
  return texts.map(({ text, colour, ground }) => {
    const layers = ground.flatMap(({ fill, opacity }) => {
      const parsed = parseColour(fill);
      return parsed === undefined
        ? []
        : [[...parsed.slice(0, 3), parsed[3] * opacity] as unknown as typeof parsed];
    });
    const under = layered(layers);
    const ink = parseColour(colour);
    return { text, ratio: ink === undefined ? 1 : contrastRatio(layered([under, ink]), under) };
  });
}

/** Contrast ratio 1 … 21 of two opaque colours (WCAG 2.2, «contrast ratio»). */
export function contrastRatio(first: Colour, second: Colour): number {
  const [darker = 0, lighter = 0] = [luminance(first), luminance(second)].sort((left, right) => left - right);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Relative luminance 0 … 1. */
function luminance([red, green, blue]: Colour): number {
  const linear = (value: number): number => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
