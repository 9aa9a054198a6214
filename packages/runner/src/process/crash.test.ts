import { describe, expect, it } from '@jest/globals';

import { causeOf, TaskCrashedError } from './crash.js';

describe('causeOf', () => {
  it.each([
    [null, 'SIGKILL', '', /ended by SIGKILL.*lack of memory/],
    [null, 'SIGSEGV', '', /memory access violation \(SIGSEGV\)$/],
    [null, 'SIGABRT', 'terminate called\n', /failed check.*: terminate called$/],
    [
      null,
      'SIGABRT',
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0xb9\n',
      /JavaScript's memory/,
    ],
    [134, null, 'what():  std::bad_alloc\n', /ran out of memory$/],
    [null, 'SIGHUP', '', /ended by SIGHUP$/],
    [
      7,
      null,
      'Error: no such thing\n    at x (file:1)\n\nNode.js v20.20.2\n',
      /exit code 7: Error: no such thing$/,
    ],
    [null, null, '', /exit code unknown$/],
  ] as const)('tells how it ended: %j %j', (code, signal, words, problem) => {
    expect(causeOf({ code, signal, words }).problem).toMatch(problem);
  });
});

describe('TaskCrashedError', () => {
  it('says where, why and how to go on in one line', () => {
    const error = new TaskCrashedError(
      { code: null, signal: 'SIGKILL', words: '' },
      'fixed, seed 1',
      'Give --resume',
    );
    expect(error.message).toMatch(
      /^@dynaprompt\/runner: fixed, seed 1: its process .* SIGKILL.*\. Give --resume\. .*--batch.*\.$/,
    );
  });
});
