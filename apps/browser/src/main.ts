#!/usr/bin/env node
import { resolve } from 'node:path';

import { runProgram } from '@dynaprompt/runner';

import { commandLine, program } from './command-line.js';
import { serveSite } from './server/serve-site.js';
import { buildSite } from './site/build-site.js';

await runProgram(program, ({ asFilter }) =>
  commandLine(
    {
      async build(model, site) {
        const { files } = await buildSite(model, site);
        process.stdout.write(`Site  ${resolve(site)} (${files.length} files)\n`);
      },
      // Ctrl-C ends it at once.
      serve: (site, options) =>
        asFilter(async () => {
          const { address } = await serveSite(site, options);
          process.stdout.write(`Serving  ${resolve(site)} at ${address}\n`);
        }),
    },
    (text) => process.stderr.write(text),
  ),
);
