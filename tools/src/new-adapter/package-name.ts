/** Speaker of these tools' errors. */
export const PACKAGE_NAME = '@dynaprompt/tools';
