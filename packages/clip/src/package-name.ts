/** Names this package in errors. */
export const PACKAGE_NAME = '@dynaprompt/clip';
