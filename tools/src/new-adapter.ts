import { fileURLToPath } from 'node:url';
import { runNewAdapter } from './new-adapter/command.js';
import { ownOutput } from './program/run.js';

process.exitCode = await runNewAdapter(process.argv.slice(2), {
  root: fileURLToPath(new URL('../..', import.meta.url)),
  ...ownOutput,
});
