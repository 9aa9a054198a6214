import type { Browser, Page } from 'playwright-core';

/** What a page did that it should not. */
export interface Watched {
  /** Requests to the site. */
  requests: number;
  /** Addresses elsewhere that it asked for; none of them is reached. */
  readonly outside: string[];
  /** Errors and warnings of the console, and scripts that fail. */
  readonly complaints: string[];
}

/** How a page is opened. */
export interface PageOptions {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  /** Paths that the server pretends not to have. */
  readonly missing?: RegExp;
  /** Leaves out the headers that allow threads, as most servers do. */
  readonly withoutIsolation?: boolean;
}

/** Opens a page that reaches nothing but `address`. */
export async function openWatched(
  browser: Browser,
  address: string,
  watched: Watched,
  { scheme = 'light', width = 1000, missing, withoutIsolation = false }: PageOptions = {},
): Promise<Page> {
  const { origin } = new URL(address);
  const page = await browser.newPage({
    colorScheme: scheme,
    viewport: { width, height: 900 },
    reducedMotion: 'reduce',
  });
  await page.context().route('**', async (route) => {
    const url = route.request().url();
    if (new URL(url).origin !== origin) {
      watched.outside.push(url);
      await route.abort();
    } else if (missing?.test(new URL(url).pathname) === true) {
      await route.fulfill({ status: 404, body: 'Not found' });
    } else if (withoutIsolation) {
      const response = await route.fetch();
      const headers = Object.entries(response.headers()).filter(([name]) => !name.startsWith('cross-origin'));
      await route.fulfill({ response, headers: Object.fromEntries(headers) });
    } else {
      await route.continue();
    }
  });
  page.on('request', (request) => {
    if (request.url().startsWith(origin)) watched.requests++;
  });
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') watched.complaints.push(message.text());
  });
  page.on('pageerror', (error) => watched.complaints.push(error.message));
  await page.goto(address);
  return page;
}
