import { constants } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { writeFolder } from '@dynaprompt/onnx-export';

import { libraryFiles } from './library-files.js';
import { siteFolders } from './paths.js';
import { readExport } from './read-export.js';

const staticFolder = fileURLToPath(new URL('../../static', import.meta.url));
/** Where `tsc` puts the modules of the page. */
const pageFolder = fileURLToPath(new URL('../../dist/page', import.meta.url));

/** What was written. */
export interface Site {
  /** Paths of all files, relative to the site. */
  readonly files: readonly string[];
}

/**
 * Puts a site together: the page, the libraries that it imports, and an exported model. It asks for nothing outside itself and can
 * lie at any place of any web server.
 *
 * @param model a folder that `export` wrote.
 * @param target new or empty; it appears complete or not at all.
 * @throws ModelError when `model` is no exported folder, ConfigurationError when `target` is occupied.
 */
export async function buildSite(model: string, target: string): Promise<Site> {
  const files = [
    ...(await readdir(staticFolder)).map((name) => ({ name, source: join(staticFolder, name) })),
    ...(await pageModules()).map((name) => ({
      name: `${siteFolders.page}/${name}`,
      source: join(pageFolder, name),
    })),
    ...libraryFiles().map(({ name, source }) => ({ name: `${siteFolders.library}/${name}`, source })),
    ...(await readExport(model)).map((name) => ({
      name: `${siteFolders.model}/${name}`,
      source: join(model, name),
    })),
  ];
  await writeFolder(target, async (folder) => {
    for (const { name, source } of files) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await copyFile(source, join(folder, name), constants.COPYFILE_FICLONE);
    }
  });
  return { files: files.map(({ name }) => name) };
}

/** Compiled modules of the page; not their tests, declarations and maps. */
async function pageModules(): Promise<readonly string[]> {
  const files = await readdir(pageFolder, { recursive: true });
  return files.filter((file) => file.endsWith('.js') && !file.endsWith('.test.js')).sort();
}
