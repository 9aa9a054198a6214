import { runInspectModel } from './inspect-model/command.js';

process.exitCode = await runInspectModel(process.argv.slice(2), {
  print: console.log,
  complain: console.error,
});
