import { ownOutput } from './program/run.js';
import { runQuantise } from './quantise/command.js';

process.exitCode = await runQuantise(process.argv.slice(2), ownOutput);
