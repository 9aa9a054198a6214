import { type Command, InvalidArgumentError } from 'commander';

import { createProgram, versionsOf } from '@dynaprompt/runner';

/** Name under which this command line speaks. */
export const program = 'dynaprompt-browser';

/** What the command line was asked to do. */
export interface Actions {
  build(model: string, site: string): Promise<void>;
  serve(site: string, options: { readonly port: number; readonly host: string }): Promise<void>;
}

/** The command line. Parsing throws a `CommanderError` instead of ending the process; messages go to `writeError`. */
export function commandLine(actions: Actions, writeError: (text: string) => void): Command {
  const versions = versionsOf(new URL('../package.json', import.meta.url), []);
  const command = createProgram(
    { program, versions },
    'Puts an exported model and a page that runs it into a static site.',
    writeError,
  );
  command
    .command('build')
    .description('write a site that runs an exported model in the browser, offline')
    .argument('<model>', 'folder that export wrote')
    .argument('<site>', 'new or empty folder')
    .action((model: string, site: string) => actions.build(model, site));
  command
    .command('serve')
    .description('serve a site')
    .argument('<site>', 'folder that build wrote')
    .option('--port <number>', 'port, 0 for any that is free', parsePort, 8080)
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .action((site: string, options: { readonly port: number; readonly host: string }) =>
      actions.serve(site, options),
    );
  return command;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new InvalidArgumentError('Give a whole number from 0 to 65535.');
}
