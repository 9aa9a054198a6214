import { Command } from 'commander';
import { describe } from './mutations/summary.js';
import { runMutations } from './mutations/run.js';
import { runProgram, wholeNumber } from './program/run.js';

const program = new Command('mutations')
  .description(
    'Takes seeded mutations of the reference cases through reading, differentiation, loading and one run, in a process that may die; exits with 1 where the engine does anything but answer or refuse by a typed error.',
  )
  .option('--count <number>', 'mutations', wholeNumber(), 300)
  .option('--first <number>', 'number of the first one', wholeNumber(), 0)
  .option('--seed <number>', 'seed of all mutations', wholeNumber(), 1)
  .option('--milliseconds <number>', 'what one mutation may take', wholeNumber(), 10_000)
  .option('--megabytes <number>', 'memory that one mutation may take', wholeNumber(), 2048)
  .option('--keep <folder>', 'where to write the models of defects, deaths and timeouts')
  .option('--json', 'print one JSON document')
  .action(async (options: Parameters<typeof runMutations>[0] & { readonly json?: boolean }) => {
    const summary = await runMutations(options);
    console.log(options.json === true ? JSON.stringify(summary, undefined, 2) : describe(summary));
    if (summary.defects.length > 0) process.exitCode = 1;
  });

await runProgram(program);
