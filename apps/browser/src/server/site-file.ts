import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** What a request asks for: a file, or why there is none. */
export type SiteFile =
  { readonly status: 200; readonly path: string; readonly size: number } | { readonly status: 400 | 404 };

/**
 * Finds the file that a URL names; a folder stands for its index.html. Nothing outside the site is ever found: not by `..`, written
 * in whatever way, and not through symbolic links.
 *
 * @param root absolute path of the site, without symbolic links.
 * @param target path and query, as the request line has them.
 */
export async function siteFile(root: string, target: string): Promise<SiteFile> {
  const path = decodedPath(target);
  if (path === undefined) return { status: 400 };
  const wanted = join(root, path.endsWith('/') ? `${path}index.html` : path);
  if (!wanted.startsWith(root + sep)) return { status: 404 };
  try {
    const real = await realpath(wanted);
    if (!real.startsWith(root + sep)) return { status: 404 };
    const found = await stat(real);
    return found.isFile() ? { status: 200, path: real, size: found.size } : { status: 404 };
  } catch {
    return { status: 404 };
  }
}

/** The path of a request, without its query; undefined where it is none. */
function decodedPath(target: string): string | undefined {
  const [raw = ''] = target.split(/[?#]/, 1);
  try {
    const path = decodeURIComponent(raw);
    return path.startsWith('/') && !path.includes('\0') ? path : undefined;
  } catch {
    return undefined;
  }
}
