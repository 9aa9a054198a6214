/** Speaker of this package's errors. */
export const PACKAGE_NAME = '@dynaprompt/adapter-name';
