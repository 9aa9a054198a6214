import { fileURLToPath } from 'node:url';

import { Command } from 'commander';

import { checkInstall } from './check-install/check.js';
import { runProgram } from './program/run.js';

const command = new Command('check-install')
  .description(
    'Packs every package, installs each alone in an empty project, checks its types and runs the example of its README there. Prints JSON; exit code 1 where something is wrong.',
  )
  .argument('[packages...]', 'folders under packages/ (default: all)')
  .action(async (only: readonly string[]) => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const reports = await checkInstall(root, only, (line) => {
      console.error(line);
    });
    console.log(JSON.stringify(reports, undefined, 2));
    for (const problem of reports.flatMap(({ problems }) => problems)) console.error(problem);
    if (reports.some(({ problems }) => problems.length > 0) || reports.length === 0) process.exitCode = 1;
  });

await runProgram(command);
