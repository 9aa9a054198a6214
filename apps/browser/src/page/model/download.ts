import { PageError } from './page-error.js';

/** Told while files arrive: bytes so far, and bytes of all whose size is known. */
export type Progress = (loaded: number, total: number) => void;

/** Fetches files of the site, all at once. @throws PageError naming the file that cannot be had. */
export async function download(addresses: readonly URL[], progress: Progress): Promise<Uint8Array[]> {
  const responses = await Promise.all(addresses.map((address) => request(address)));
  const total = responses.reduce((sum, { headers }) => sum + Number(headers.get('Content-Length') ?? 0), 0);
  let loaded = 0;
  return Promise.all(
    responses.map(async (response, index) => {
      const parts: Uint8Array[] = [];
      try {
        const reader = response.body?.getReader();
        for (;;) {
          const part = await reader?.read();
          if (part?.value === undefined) break;
          parts.push(part.value);
          loaded += part.value.length;
          progress(loaded, Math.max(total, loaded));
        }
      } catch (cause) {
        throw unreachable(addresses[index], 'the connection broke off', cause);
      }
      return joined(parts);
    }),
  );
}

/** Fetches a JSON file of the site. @throws PageError when there is none. */
export async function downloadJson(address: URL): Promise<unknown> {
  const response = await request(address);
  try {
    return await response.json();
  } catch (cause) {
    throw unreachable(address, 'it is no JSON', cause);
  }
}

async function request(address: URL): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address);
  } catch (cause) {
    throw unreachable(address, 'the server cannot be reached', cause);
  }
  if (response.ok) return response;
  throw unreachable(address, `the server answers ${response.status} ${response.statusText}`.trim());
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}

function unreachable(address: URL | undefined, problem: string, cause?: unknown): PageError {
  const name = address?.pathname.split('/').slice(-2).join('/') ?? 'a file';
  return new PageError(
    `${name}: ${problem}`,
    'Build the site anew, or put this file beside the others.',
    cause,
  );
}
