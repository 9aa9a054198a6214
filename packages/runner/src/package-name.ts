/** What errors of this package sign with. */
export const packageName = '@dynaprompt/runner';
