import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const browserApp = fileURLToPath(new URL('../../../apps/browser/dist/main.js', import.meta.url));

/** Serves a site with the command line of the application. @throws with what it wrote when it ends before it serves. */
export async function serveProgram(
  site: string,
): Promise<{ readonly address: string; readonly close: () => Promise<void> }> {
  const child = spawn(process.execPath, [browserApp, 'serve', site, '--port', '0']);
  let written = '';
  const address = await new Promise<string>((resolve, reject) => {
    const read = (text: string): void => {
      written += text;
      const [, found] = /at (http:\S+)\n/.exec(written) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('error', reject);
    child.once('close', () => {
      reject(new Error(`the site is not served: ${written.trim()}`));
    });
  });
  return {
    address,
    async close() {
      const closed = once(child, 'close');
      child.kill('SIGINT');
      await closed;
    },
  };
}
