/** Name that this package's errors carry. */
export const packageName = '@dynaprompt/benchmarks';
