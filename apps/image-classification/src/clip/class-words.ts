/**
 * Names of classes as they are put into sentences: separators become blanks, and of a path its last part counts where that names one
 * class only. `animals-nature/animal-bird` is `animal bird`. Names that come to the same words stay as they are.
 */
export function classWords(classes: readonly string[]): readonly string[] {
  const short = classes.map((name) => worded(name.slice(name.lastIndexOf('/') + 1)));
  const long = classes.map(worded);
  return classes.map((name, label) => {
    for (const words of [short, long]) {
      const own = words[label] ?? '';
      if (own !== '' && words.indexOf(own) === words.lastIndexOf(own)) return own;
    }
    return name;
  });
}

function worded(name: string): string {
  return name.replace(/[/_\s-]+/g, ' ').trim();
}
