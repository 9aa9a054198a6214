import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '@dynaprompt/core';
import { PACKAGE_NAME } from './package-name.js';

const FORM = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const LONGEST = 40;

/** `time-series` → `TimeSeries` */
export function pascalCase(name: string): string {
  return name.replace(/(^|-)([a-z0-9])/g, (_, __: string, letter: string) => letter.toUpperCase());
}

/** @throws ConfigurationError if a name cannot be one of a package, or is taken. */
export function checkName(root: string, name: string): void {
  const fail = (problem: string, remedy: string): never => {
    throw new ConfigurationError({ packageName: PACKAGE_NAME, subject: `name "${name}"`, problem, remedy });
  };
  if (!FORM.test(name) || name.length > LONGEST)
    fail('it is no name for a package', `Give at most ${LONGEST} small letters, digits and single hyphens`);
  const taken = [`packages/${name}`, `apps/${name}`, `node_modules/@dynaprompt/${name}`];
  const found = taken.find((folder) => existsSync(join(root, folder)));
  if (found !== undefined || name === 'tools')
    fail(`it is taken by ${found ?? 'tools'}`, 'Give another name, or remove what has it');
}
