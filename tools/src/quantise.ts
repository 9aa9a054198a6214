import { runQuantise } from './quantise/command.js';

process.exitCode = await runQuantise(process.argv.slice(2), { print: console.log, complain: console.error });
