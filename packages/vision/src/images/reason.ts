/** What a failure says, on one line of at most 200 characters. */
export function reasonOf(failure: unknown): string {
  const { message } = Object(failure) as { message?: unknown };
  const line = (typeof message === 'string' ? message : String(failure)).replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
