import { runGradcheck } from './gradcheck/command.js';
import { ownOutput } from './program/run.js';

process.exitCode = await runGradcheck(process.argv.slice(2), ownOutput);
