import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Command } from 'commander';

import { checkBrowser } from './check-browser/check.js';
import { prepare } from './check-browser/prepare.js';
import { serveProgram } from './check-browser/serve-program.js';
import { openBrowser } from './check-report/browser.js';
import { runProgram } from './program/run.js';

const command = new Command('check-browser')
  .description(
    'Trains and exports a small model, opens it in Chromium without a network, and prints as JSON how it compares with Node. Exit code 1 where something is wrong.',
  )
  .option('--screenshots <folder>', 'where pictures of the page go')
  .action(async ({ screenshots }: { readonly screenshots?: string }) => {
    const folder = await mkdtemp(join(tmpdir(), 'dynaprompt-browser-'));
    const browser = await openBrowser();
    try {
      const prepared = await prepare(folder, (line) => process.stderr.write(`check-browser: ${line}\n`));
      const server = await serveProgram(prepared.site);
      try {
        process.stderr.write('check-browser: asking the page\n');
        const check = await checkBrowser(browser, server.address, prepared, screenshots);
        console.log(JSON.stringify(check, null, 2));
        if (check.verdict !== 'PASS') process.exitCode = 1;
      } finally {
        await server.close();
      }
    } finally {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

await runProgram(command);
