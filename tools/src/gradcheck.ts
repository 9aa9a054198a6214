import { runGradcheck } from './gradcheck/command.js';

process.exitCode = await runGradcheck(process.argv.slice(2), { print: console.log, complain: console.error });
