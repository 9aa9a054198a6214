/// <reference lib="dom" />

/*
 * Functions that run inside the page. A browser is given their source text, so each stands by itself and uses nothing else of this
 * module.
 */

/** A piece of visible text with its colour and what lies under it. */
export interface TextOnGround {
  readonly text: string;
  readonly colour: string;
  /** Fills with their opacity, the lowest first. */
  readonly ground: readonly { readonly fill: string; readonly opacity: number }[];
}

/** Every visible piece of text within what a selector finds first. Looks at one point of each: in the middle of its first line. */
export function textsOnGround(within: string): TextOnGround[] {
  const found: TextOnGround[] = [];
  const walker = document.createTreeWalker(
    document.querySelector(within) ?? document.body,
    NodeFilter.SHOW_TEXT,
  );
  const parents = new Set<Element>();
  while (walker.nextNode() !== null) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (parent === null || (node.textContent ?? '').trim() === '' || parents.has(parent)) continue;
    if (parent.closest('title, style, script, .visually-hidden') !== null) continue;
    parents.add(parent);
    if (!parent.checkVisibility()) continue;
    parent.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const range = document.createRange();
    range.selectNodeContents(node);
    const first = range.getClientRects()[0];
    if (first === undefined || first.width === 0) continue;
    // The first line of what is higher than the window.
    if (first.top < 0) scrollBy({ top: first.top - innerHeight / 2, behavior: 'instant' });
    const box = range.getClientRects()[0] ?? first;
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const stack = document.elementsFromPoint(x, y).reverse();
    const ground = stack.flatMap((element) => {
      if (element.contains(parent) && element instanceof SVGElement && element.tagName !== 'svg') return [];
      const style = getComputedStyle(element);
      const isShape = element instanceof SVGElement && ['rect', 'circle', 'path'].includes(element.tagName);
      if (element instanceof SVGElement && !isShape) return [];
      const opacity = Number(style.opacity) * (isShape ? Number(style.fillOpacity) : 1);
      return [{ fill: isShape ? style.fill : style.backgroundColor, opacity }];
    });
    const style = getComputedStyle(parent);
    const colour = parent instanceof SVGElement ? style.fill : style.color;
    found.push({ text: (node.textContent ?? '').trim().slice(0, 60), colour, ground });
  }
  scrollTo(0, 0);
  return found;
}

/** What has the focus, and whether one sees that. */
export interface FocusPlace {
  readonly name: string;
  readonly isVisible: boolean;
  /** For a radio button: its place among those of its group. */
  readonly radio: number | undefined;
}

/** Undefined where nothing has the focus. */
export function focusPlace(): FocusPlace | undefined {
  const element = document.activeElement;
  if (element === null || element === document.body) return undefined;
  const label = element.id === '' ? null : document.querySelector(`label[for="${element.id}"]`);
  const shown =
    element instanceof HTMLInputElement && element.type === 'radio' ? (label ?? element) : element;
  const { outlineStyle, outlineWidth } = getComputedStyle(shown);
  const radios = [...document.querySelectorAll('input[type=radio]')];
  const place = radios.indexOf(element);
  return {
    name: `${element.tagName.toLowerCase()} ${(shown.getAttribute('aria-label') ?? shown.textContent).trim().slice(0, 40)}`,
    isVisible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
    radio: place < 0 ? undefined : place,
  };
}

/** Places of the examples of the inspector that are shown. */
export function shownPanels(): number[] {
  return [...document.querySelectorAll('.panel')].flatMap((panel, place) =>
    panel.checkVisibility() ? [place] : [],
  );
}

/** What moves, and what has no name for a screen reader or an id that another one has. */
export function pageFaults(): string[] {
  const all = [...document.querySelectorAll('*')];
  const moves = all.some((element) => {
    const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
    return parseFloat(transitionDuration) > 0 || animationName !== 'none' || scrollBehavior === 'smooth';
  });
  const nameless = all.filter(
    (element) =>
      (element.getAttribute('role') === 'img' || element.getAttribute('role') === 'region') &&
      !element.hasAttribute('aria-label'),
  );
  const ids = all.flatMap(({ id }) => (id === '' ? [] : [id]));
  const twice = ids.filter((id, place) => ids.indexOf(id) < place);
  const dangling = [...document.querySelectorAll('a[href^="#"]')].filter(
    (link) => document.getElementById((link.getAttribute('href') ?? '').slice(1)) === null,
  );
  return [
    ...(moves ? ['something moves although reduced motion is preferred'] : []),
    ...nameless.map((element) => `a ${element.tagName} has no name`),
    ...twice.map((id) => `the id ${id} occurs twice`),
    ...dangling.map((link) => `${link.getAttribute('href') ?? ''} leads nowhere`),
  ];
}

/** By how many pixels the page is wider than the window. */
export function overflow(): number {
  return document.documentElement.scrollWidth - document.documentElement.clientWidth;
}

/** Opens everything that can be opened. */
export function openDetails(): void {
  for (const details of document.querySelectorAll('details')) details.open = true;
}
