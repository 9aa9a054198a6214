/** What a failure and its cause say, on one line: `fetch failed: connect ECONNREFUSED 127.0.0.1:80`. */
export function reasonOf(failure: unknown): string {
  const { cause } = Object(failure) as { cause?: unknown };
  const said = [failure, cause].map(sayingOf).filter((line) => line !== '');
  return said.length > 0 ? said.join(': ') : String(failure);
}

/** First line of an error's message, or its code where it has no message. */
function sayingOf(failure: unknown): string {
  const { message, code } = Object(failure) as { message?: unknown; code?: unknown };
  const [line = ''] = typeof message === 'string' ? message.trim().split('\n') : [];
  return line === '' && typeof code === 'string' ? code : line;
}
