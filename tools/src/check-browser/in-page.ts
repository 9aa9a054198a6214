/// <reference lib="dom" />

/*
 * Functions that run inside the page. A browser is given their source text, so each stands by itself and uses nothing else of this
 * module.
 */

/** What the page shows of a text. */
export interface ShownAnswer {
  /** Class name, and probability as it was computed. */
  readonly probabilities: readonly (readonly [string, number])[];
  /** Share of its track that each bar takes, 0 … 1. */
  readonly bars: readonly number[];
  readonly sequence: readonly (string | { readonly prompt: number })[];
  readonly place: string;
}

export function shownAnswer(): ShownAnswer {
  const rows = [...document.querySelectorAll<HTMLElement>('#bars li')];
  return {
    probabilities: rows.map(({ dataset }) => [dataset.label ?? '', Number(dataset.probability)]),
    bars: rows.map((row) => {
      const [track, fill] = [row.querySelector('.track'), row.querySelector('.fill')];
      return (fill?.getBoundingClientRect().width ?? NaN) / (track?.getBoundingClientRect().width ?? NaN);
    }),
    sequence: [...document.querySelectorAll<HTMLElement>('#tokens li')].map(({ dataset, textContent }) =>
      dataset.prompt === undefined ? textContent : { prompt: Number(dataset.prompt) },
    ),
    place: document.querySelector('#place')?.textContent ?? '',
  };
}

/** Fields and buttons that a screen reader has no name for. */
export function namelessFields(): string[] {
  const fields = [...document.querySelectorAll<HTMLInputElement>('input, textarea, button, progress')];
  return fields
    .filter(
      (field) =>
        !field.hasAttribute('aria-label') &&
        (field.tagName === 'BUTTON' ? field.textContent.trim() === '' : field.labels?.length === 0),
    )
    .map((field) => `a ${field.tagName} has no name`);
}
