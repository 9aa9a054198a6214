/** Name of a run's files, the same as that of its adapter. */
export function runName(method: string, seed: number): string {
  return fileName(`${method}-seed${seed}`);
}

/** A name with nothing in it that means something in a path. */
export function fileName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_');
}
