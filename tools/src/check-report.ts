import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { writeRun } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import { Command } from 'commander';

import { openBrowser } from './check-report/browser.js';
import { checkReport, type ReportCheck } from './check-report/check.js';
import { exampleRun } from './check-report/example.js';
import { runProgram } from './program/run.js';

const command = new Command('check-report')
  .description(
    'Opens a report in Chromium, in light and dark, and prints as JSON what is wrong with it. Exit code 1 where something is.',
  )
  .argument('[report]', 'a report.html that a run has written (default: a made-up one)')
  .option('--screenshots <folder>', 'where pictures of the report go')
  .action(async (report: string | undefined, { screenshots }: { readonly screenshots?: string }) => {
    const check =
      report === undefined ? await checkExample(screenshots) : await checkFile(report, screenshots);
    console.log(JSON.stringify(check, null, 2));
    if (check.problems.length > 0) process.exitCode = 1;
  });

await runProgram(command);

async function checkExample(screenshots: string | undefined): Promise<ReportCheck> {
  const folder = await mkdtemp(join(tmpdir(), 'dynaprompt-report-'));
  try {
    const { results, inspections } = exampleRun();
    const { report } = await writeRun(join(folder, 'run'), results, { inspections });
    return await checkFile(report, screenshots);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkFile(report: string, screenshots: string | undefined): Promise<ReportCheck> {
  if (!existsSync(report)) {
    throw new ConfigurationError({
      packageName: '@dynaprompt/tools',
      subject: report,
      problem: 'there is no such file',
      remedy: 'Name a report.html that a run has written',
    });
  }
  const browser = await openBrowser();
  try {
    return await checkReport(browser, resolve(report), screenshots);
  } finally {
    await browser.close();
  }
}
