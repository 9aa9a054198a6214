import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Runs a program of Node to its end. @throws with what it wrote when it fails. */
export function runNode(program: string, words: readonly string[], folder: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DYNAPROMPT_CACHE: join(folder, 'cache') };
    const child = spawn(process.execPath, [program, ...words], { cwd: folder, env });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${program} ${words[0] ?? ''} ended with exit code ${code}: ${stderr.trim()}`));
    });
  });
}
