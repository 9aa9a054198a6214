import { open } from 'node:fs/promises';

/** Makes renamed files last; a system that cannot open folders does so by itself. */
export async function synchroniseFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync().catch(() => undefined);
  } finally {
    await handle?.close();
  }
}
