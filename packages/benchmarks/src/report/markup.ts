/** Text that is markup already and must not be escaped again. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What may stand in a {@link markup} template. */
export type MarkupValue = Markup | string | number | readonly Markup[];

/** Template tag for HTML and SVG: every value is escaped unless it is {@link Markup}. */
export function markup(parts: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  return new Markup(
    parts.reduce((text, part, index) => {
      const value = values[index - 1];
      return value === undefined ? part : text + rendered(value) + part;
    }, ''),
  );
}

/** Escapes what has a meaning in HTML text and attributes. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function rendered(value: MarkupValue): string {
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map((item) => item.text).join('');
  return escapeMarkup(String(value));
}
