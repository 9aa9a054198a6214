import { fileURLToPath } from 'node:url';

import { Command } from 'commander';

import { release } from './release/release.js';
import { runProgram } from './program/run.js';

const command = new Command('release')
  .description('Gives all packages the next version, moves the changelog on, and publishes them.')
  .argument('[version]', 'major, minor, patch, or a version', 'patch')
  .option('--dry-run', 'say what would be published; change nothing', false)
  .action(async (step: string, { dryRun }: { readonly dryRun: boolean }) => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const date = new Date().toISOString().slice(0, 10);
    await release(root, { step, dryRun, date }, (line) => {
      console.log(line);
    });
  });

await runProgram(command);
