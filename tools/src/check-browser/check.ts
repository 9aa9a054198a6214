import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser, Page } from 'playwright-core';

import { contrastsOf, LEAST_CONTRAST } from '../check-report/contrast.js';
import { focusPlace, overflow, pageFaults, textsOnGround } from '../check-report/in-page.js';
import { namelessFields, shownAnswer, type ShownAnswer } from './in-page.js';
import type { NodeAnswer } from './node-answers.js';
import type { Prepared } from './prepare.js';
import { openWatched, type Watched } from './watch.js';

/** Largest difference of a probability in the browser from that in Node. */
const TOLERANCE = 1e-4;
/** Milliseconds until a page has to be ready, on a busy machine. */
const PATIENCE = 120_000;

/** What was found of a site. */
export interface BrowserCheck {
  readonly verdict: 'PASS' | 'FAIL';
  /** Lines that say what is wrong; empty where nothing is. */
  readonly problems: readonly string[];
  readonly texts: number;
  /** Different pairs of position and length among the texts. */
  readonly places: number;
  /** Of a probability, in the page against onnxruntime in Node: the page itself, without threads, and the page of the guide. */
  readonly largestDifference: {
    readonly page: number;
    readonly withoutThreads: number;
    readonly guide: number;
  };
  readonly requests: number;
  readonly outsideRequests: number;
  readonly consoleErrors: number;
  /** Lowest contrast of a text, by scheme. */
  readonly contrast: { readonly light: number; readonly dark: number };
  /** What the page says where a file of the model is missing. */
  readonly failure: string;
  readonly screenshots: readonly string[];
}

/** Opens a served site in a browser, types texts, and compares what it shows with Node. */
export async function checkBrowser(
  browser: Browser,
  address: string,
  { answers, guidePage, guideAnswers }: Prepared,
  screenshots: string | undefined,
): Promise<BrowserCheck> {
  const problems: string[] = [];
  const watched: Watched = { requests: 0, outside: [], complaints: [] };
  const taken: string[] = [];
  const shoot = async (page: Page, name: string): Promise<void> => {
    if (screenshots === undefined) return;
    await mkdir(screenshots, { recursive: true });
    taken.push(join(screenshots, `${name}.png`));
    await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
  };

  const light = await openWatched(browser, address, watched);
  await ready(light);
  await shoot(light, 'empty');
  await checkKeyboard(light, problems);
  const page = await answerAll(light, answers, problems);
  await type(light, answers[0]?.text ?? '');
  problems.push(...(await light.evaluate(pageFaults)), ...(await light.evaluate(namelessFields)));
  await shoot(light, 'light');
  const contrast = { light: await lowestContrast(light, 'light', problems), dark: 0 };
  await light.context().close();

  const dark = await openWatched(browser, address, watched, {
    scheme: 'dark',
    width: 390,
    withoutIsolation: true,
  });
  await ready(dark);
  const isIsolated = await dark.evaluate(() => crossOriginIsolated);
  if (isIsolated) problems.push('the page is isolated although the server does not ask for it');
  const withoutThreads = await answerAll(dark, answers, problems);
  await type(dark, answers[1]?.text ?? '');
  contrast.dark = await lowestContrast(dark, 'dark', problems);
  const wider = await dark.evaluate(overflow);
  if (wider > 0) problems.push(`on a screen of 390 pixels the page is ${wider} pixels too wide`);
  await shoot(dark, 'dark-narrow');
  await dark.context().close();

  const guide = Math.max(
    ...guideAnswers.map((said, index) => differenceOf(Object.entries(said), answers[index]?.probabilities)),
    await guideDifference(browser, new URL(guidePage, address).href, answers, watched),
  );
  const failure = await failureOf(browser, address, watched.outside, shoot);
  if (!failure.includes('model.onnx_data'))
    problems.push(`a missing file is not named in the page: ${failure}`);

  const largestDifference = { page, withoutThreads, guide };
  for (const [name, difference] of Object.entries(largestDifference)) {
    if (!(difference <= TOLERANCE))
      problems.push(`${name}: probabilities differ by ${difference} from Node's`);
  }
  const places = new Set(answers.map(({ position, length }) => `${position} ${length}`)).size;
  if (places < 3) problems.push(`the texts have only ${places} different places, which tells little`);
  problems.push(...watched.outside.map((url) => `it asks for ${url}`));
  problems.push(...watched.complaints.map((text) => `the console says: ${text}`));
  return {
    verdict: problems.length === 0 ? 'PASS' : 'FAIL',
    problems,
    texts: answers.length,
    places,
    largestDifference,
    requests: watched.requests,
    outsideRequests: watched.outside.length,
    consoleErrors: watched.complaints.length,
    contrast,
    failure,
    screenshots: taken,
  };
}

async function ready(page: Page): Promise<void> {
  await page.waitForSelector('body[data-state=ready], body[data-state=failed]', { timeout: PATIENCE });
  const state = await page.evaluate(() => document.body.dataset.state);
  if (state === 'failed') throw new Error(await page.locator('#message').innerText());
}

/** Types a text and waits for its answer. */
async function type(page: Page, text: string): Promise<ShownAnswer> {
  // An empty field takes the last answer away.
  await page.fill('#text', '');
  await page.waitForSelector('#result', { state: 'hidden', timeout: PATIENCE });
  await page.fill('#text', text);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#result', { state: 'visible', timeout: PATIENCE });
  return page.evaluate(shownAnswer);
}

/** Types all texts; returns the largest difference of a probability. */
async function answerAll(page: Page, answers: readonly NodeAnswer[], problems: string[]): Promise<number> {
  let largest = 0;
  for (const answer of answers) {
    const shown = await type(page, answer.text);
    const name = `«${answer.text.slice(0, 30)}»`;
    largest = Math.max(largest, differenceOf(shown.probabilities, answer.probabilities));
    const isDrawn = shown.bars.every(
      (share, index) => Math.abs(share - (answer.probabilities[index]?.[1] ?? NaN)) < 0.01,
    );
    if (!isDrawn) problems.push(`${name}: the bars are ${shown.bars.join(', ')} of their tracks`);
    const [drawn, wanted] = [JSON.stringify(shown.sequence), JSON.stringify(answer.sequence)];
    if (drawn !== wanted) problems.push(`${name}: ${drawn} is drawn, not ${wanted}`);
    const prompts = shown.sequence.filter((part) => typeof part !== 'string').length;
    const numbers = [`Prompt: ${answer.length} of `, `position ${answer.position} of `];
    if (prompts !== answer.length || !numbers.every((text) => shown.place.includes(text)))
      problems.push(
        `${name}: position ${answer.position}, length ${answer.length} is shown as ${shown.place}`,
      );
  }
  return largest;
}

function differenceOf(
  shown: readonly (readonly [string, number])[],
  expected: NodeAnswer['probabilities'] | undefined,
): number {
  if (expected?.length !== shown.length) return NaN;
  const given = new Map(shown);
  return Math.max(
    ...expected.map(([label, probability]) => Math.abs((given.get(label) ?? NaN) - probability)),
  );
}

/** Tab goes from the text to the button, with a visible focus. */
async function checkKeyboard(page: Page, problems: string[]): Promise<void> {
  const names: string[] = [];
  for (let stop = 0; stop < 10; stop++) {
    await page.keyboard.press('Tab');
    const place = await page.evaluate(focusPlace);
    if (place === undefined) break;
    names.push(place.name);
    if (!place.isVisible) problems.push(`the focus on «${place.name}» cannot be seen`);
  }
  const kinds = names.map((name) => name.split(' ')[0]).join(' ');
  if (kinds !== 'textarea summary button') problems.push(`the tab key goes through ${kinds}`);
}

async function lowestContrast(page: Page, scheme: string, problems: string[]): Promise<number> {
  const measured = contrastsOf(await page.evaluate(textsOnGround, 'body'));
  const faint = measured.filter(({ ratio }) => ratio < LEAST_CONTRAST);
  problems.push(
    ...faint.map(({ text, ratio }) => `${scheme}: «${text}» has a contrast of ${ratio.toFixed(2)}`),
  );
  return Number(Math.min(21, ...measured.map(({ ratio }) => ratio)).toFixed(2));
}

/** The page of the guide shows `label probability` lines of what is typed. */
async function guideDifference(
  browser: Browser,
  address: string,
  answers: readonly NodeAnswer[],
  watched: Watched,
): Promise<number> {
  const page = await openWatched(browser, address, watched);
  let largest = 0;
  for (const answer of answers) {
    await page.waitForSelector('#text:enabled', { timeout: PATIENCE });
    await page.fill('#text', answer.text);
    await page.keyboard.press('Enter');
    await page.waitForFunction(
      (text) => document.querySelector<HTMLElement>('#answer')?.dataset.text === text,
      answer.text,
      { timeout: PATIENCE },
    );
    const said = JSON.parse(await page.locator('#answer').innerText()) as Readonly<Record<string, number>>;
    largest = Math.max(largest, differenceOf(Object.entries(said), answer.probabilities));
  }
  await page.context().close();
  return largest;
}

/** What the page says where weights are missing; the console tells of it too, as it has to. */
async function failureOf(
  browser: Browser,
  address: string,
  outside: string[],
  shoot: (page: Page, name: string) => Promise<void>,
): Promise<string> {
  const watched: Watched = { requests: 0, outside, complaints: [] };
  const page = await openWatched(browser, address, watched, { missing: /model\.onnx_data$/ });
  await page.waitForSelector('body[data-state=failed]', { timeout: PATIENCE });
  await shoot(page, 'failed');
  const message = await page.locator('[role=alert]').innerText();
  await page.context().close();
  return message;
}
