/** The known name that is spelled most like `name`; undefined where none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((first, second) => first.distance - second.distance);
  const [best] = ranked;
  // Half of the letters may be wrong; further away nothing is meant.
  return best !== undefined && best.distance <= Math.ceil(name.length / 2) ? best.candidate : undefined;
}

/** Fewest insertions, deletions and substitutions of letters between two words (Levenshtein). */
export function editDistance(first: string, second: string): number {
  let previous = Array.from({ length: second.length + 1 }, (_, index) => index);
  for (let row = 1; row <= first.length; row++) {
    const current = [row];
    for (let column = 1; column <= second.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (first[row - 1] === second[column - 1] ? 0 : 1);
      const deletion = (previous[column] ?? 0) + 1;
      current.push(Math.min(substitution, deletion, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[second.length] ?? 0;
}
