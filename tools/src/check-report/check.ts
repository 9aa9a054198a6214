import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Browser, Page } from 'playwright-core';

import { contrastsOf, LEAST_CONTRAST } from './contrast.js';
import {
  focusPlace,
  openDetails,
  overflow,
  pageFaults,
  shownPanels,
  type TextOnGround,
  textsOnGround,
} from './in-page.js';

type Scheme = 'light' | 'dark';

/** What was found of a report. */
export interface ReportCheck {
  readonly report: string;
  /** Lines that say what is wrong; empty where nothing is. */
  readonly problems: readonly string[];
  /** Requests other than for the report itself. */
  readonly requests: number;
  readonly consoleErrors: number;
  /** Stops of the tab key. */
  readonly tabStops: number;
  /** Examples that the arrow keys went through. */
  readonly examples: number;
  /** By scheme: pieces of text that were measured, and the lowest contrast. */
  readonly contrast: Readonly<Record<Scheme, { readonly texts: number; readonly lowest: number }>>;
  readonly screenshots: readonly string[];
}

const WIDE = { width: 1200, height: 900 };
const NARROW = { width: 390, height: 800 };
const MOST_STOPS = 300;

/** Opens a report from its file, in light and dark, and checks that it is whole, quiet, legible and can be used with the keyboard. */
export async function checkReport(
  browser: Browser,
  report: string,
  screenshots: string | undefined,
): Promise<ReportCheck> {
  const problems: string[] = [];
  const watched = { requests: 0, consoleErrors: 0 };
  const taken: string[] = [];
  const shoot = async (page: Page, name: string, fullPage = true): Promise<void> => {
    if (screenshots === undefined) return;
    await mkdir(screenshots, { recursive: true });
    const path = join(screenshots, `${name}.png`);
    await page.screenshot({ path, fullPage });
    taken.push(path);
  };
  const open = async (colorScheme: Scheme, viewport: typeof WIDE): Promise<Page> => {
    const page = await browser.newPage({ colorScheme, viewport, reducedMotion: 'reduce' });
    const address = pathToFileURL(report).href;
    page.on('request', (request) => {
      const url = request.url();
      if (url === address || url.startsWith('data:')) return;
      watched.requests++;
      problems.push(`it asks for ${url}`);
    });
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      watched.consoleErrors++;
      problems.push(`the console says: ${message.text()}`);
    });
    page.on('pageerror', (error) => {
      watched.consoleErrors++;
      problems.push(`a script fails: ${error.message}`);
    });
    await page.goto(address);
    return page;
  };

  const light = await open('light', WIDE);
  const { stops, examples } = await checkKeyboard(light, problems);
  problems.push(...(await light.evaluate(pageFaults)));
  await light.reload();
  await shoot(light, 'light');
  const contrast = {
    light: await checkContrast(light, 'light', examples, problems),
    dark: { texts: 0, lowest: 0 },
  };
  await light.close();

  const dark = await open('dark', WIDE);
  await shoot(dark, 'dark');
  contrast.dark = await checkContrast(dark, 'dark', examples, problems);
  for (let place = 0; place < examples && screenshots !== undefined; place++) {
    await dark.locator(`label[for=choice-${place}]`).click();
    await dark.locator('.inspector').scrollIntoViewIfNeeded();
    await shoot(dark, `example-${place + 1}`, false);
  }
  await dark.close();

  const narrow = await open('light', NARROW);
  const wider = await narrow.evaluate(overflow);
  if (wider > 0) problems.push(`on a screen of ${NARROW.width} pixels the page is ${wider} pixels too wide`);
  await shoot(narrow, 'narrow');
  await narrow.close();
  return { report, problems, ...watched, tabStops: stops, examples, contrast, screenshots: taken };
}

/** Tab goes through everything with a visible focus, and the arrow keys through the examples. */
async function checkKeyboard(
  page: Page,
  problems: string[],
): Promise<{ readonly stops: number; readonly examples: number }> {
  const examples = await page.locator('.panel').count();
  let stops = 0;
  let radios = 0;
  for (; stops < MOST_STOPS; stops++) {
    await page.keyboard.press('Tab');
    const place = await page.evaluate(focusPlace);
    if (place === undefined) break;
    if (!place.isVisible) problems.push(`the focus on «${place.name}» cannot be seen`);
    if (place.radio === undefined) continue;
    radios++;
    for (let step = 0; step < examples; step++) {
      const shown = await page.evaluate(shownPanels);
      if (shown.length !== 1 || shown[0] !== step)
        problems.push(`after ${step} arrow keys the examples ${shown.join(', ')} are shown`);
      const focused = await page.evaluate(focusPlace);
      if (focused?.isVisible !== true) problems.push(`the focus on example ${step} cannot be seen`);
      await page.keyboard.press('ArrowDown');
    }
  }
  if (stops === 0) problems.push('the tab key goes nowhere');
  if (stops === MOST_STOPS) problems.push('the tab key does not come to an end');
  if (examples > 0 && radios !== 1)
    problems.push(`the tab key stops ${radios} times at the list of examples`);
  return { stops, examples };
}

async function checkContrast(
  page: Page,
  scheme: Scheme,
  examples: number,
  problems: string[],
): Promise<{ readonly texts: number; readonly lowest: number }> {
  await page.evaluate(openDetails);
  const texts: TextOnGround[] = await page.evaluate(textsOnGround, 'body');
  // The first example is there already.
  for (let place = 1; place < examples; place++) {
    await page.locator(`label[for=choice-${place}]`).click();
    texts.push(...(await page.evaluate(textsOnGround, `#panel-${place}`)));
  }
  const measured = contrastsOf(texts);
  const faint = new Set(
    measured
      .filter(({ ratio }) => ratio < LEAST_CONTRAST)
      .map(({ text, ratio }) => `in ${scheme} pages «${text}» has a contrast of ${ratio.toFixed(2)}`),
  );
  problems.push(...faint);
  return {
    texts: measured.length,
    lowest: Number(Math.min(21, ...measured.map(({ ratio }) => ratio)).toFixed(2)),
  };
}
