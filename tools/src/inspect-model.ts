import { runInspectModel } from './inspect-model/command.js';
import { ownOutput } from './program/run.js';

process.exitCode = await runInspectModel(process.argv.slice(2), ownOutput);
