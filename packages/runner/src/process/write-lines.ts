import { once } from 'node:events';

/** Writes lines to standard output, no faster than they are read. */
export async function writeLines(lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const isTaken = process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  if (!isTaken) await once(process.stdout, 'drain');
}
