import { Command } from 'commander';
import { killRuns, type KillOptions } from './kill-runs/kill-runs.js';
import { runProgram, wholeNumber } from './program/run.js';

const program = new Command('kill-runs')
  .description(
    'Trains the bundled backbone in a process that is killed at random moments and started again each time, and prints as JSON whether it ends as one that was left alone; exits with 1 where a bit differs.',
  )
  .option('--kills <number>', 'SIGKILLs', wholeNumber(), 100)
  .option('--steps <number>', 'optimiser steps; default: enough for the kills', wholeNumber())
  .option('--method <name>', 'what is trained', 'dynamic')
  .option('--seed <number>', 'seed of the moments', wholeNumber(), 1)
  .action(async (options: KillOptions) => {
    const report = await killRuns(options);
    console.log(JSON.stringify(report, undefined, 2));
    if (!report.identical || report.kills < options.kills) process.exitCode = 1;
  });

await runProgram(program);
