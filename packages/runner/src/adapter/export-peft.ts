import { resolve } from 'node:path';

import { selectBackend } from '@dynaprompt/core';
import { exportPeft, loadAdapter, type PeftExportOptions } from '@dynaprompt/training';

/** Writes a saved adapter's static prompt as a PEFT adapter, and says on stderr what PEFT cannot express. */
export async function exportAdapter(
  program: string,
  adapter: string,
  folder: string,
  options: PeftExportOptions,
): Promise<void> {
  await selectBackend();
  const { configuration, warnings } = await exportPeft(folder, await loadAdapter(adapter), options);
  const { num_virtual_tokens: tokens, token_dim: width } = configuration;
  process.stdout.write(`PEFT adapter  ${resolve(folder)} (${tokens} tokens of width ${width})\n`);
  for (const warning of warnings) process.stderr.write(`${program}: ${warning}\n`);
}
