import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { ConfigurationError } from '@dynaprompt/core';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Where Chromium is: `CHROMIUM`, or the first one on the path. @throws ConfigurationError where there is none. */
export function findChromium(environment: Readonly<Record<string, string | undefined>>): string {
  const { CHROMIUM: named, PATH = '' } = environment;
  const places =
    named === undefined
      ? PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
      : [named];
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new ConfigurationError({
    packageName: '@dynaprompt/tools',
    subject: named === undefined ? 'Chromium' : `CHROMIUM=${named}`,
    problem: named === undefined ? 'it is not on the path' : 'there is no such file',
    remedy: 'Install it (apt-get install -y chromium), or name it with CHROMIUM',
  });
}

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(process.env) });
}
