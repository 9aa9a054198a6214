import { existsSync } from 'node:fs';

/** A model that ships with an application. */
export interface BundledPlace {
  readonly name: string;
  readonly folder: string;
}

/** The folder of a bundled model, where `location` is the name of one and no folder here; `location` itself otherwise. */
export function placeOf(location: string, bundled: readonly BundledPlace[]): string {
  const found = bundled.find(({ name }) => name === location);
  return found === undefined || existsSync(location) ? location : found.folder;
}
