import { execFile } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { inFolder } from '../testing/files.js';

const built = fileURLToPath(new URL('../../dist', import.meta.url));

it('says what to do where npm left onnxruntime out', async () => {
  await inFolder(async (folder) => {
    cpSync(built, join(folder, 'dist'), {
      recursive: true,
      filter: (file) => !/\.test\.|testing|\.map$|\.d\.ts$/.test(file.slice(built.length)),
    });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const run = promisify(execFile)(process.execPath, [join(folder, 'dist/index.js')]);
    await expect(run).rejects.toThrow(/RuntimeMissingError: .*npm install --ignore-scripts/);
  });
});
