/** The command of a study as one repeats it; where the data lies is a matter of each machine, so it stands as FOLDER. */
export function studyCommand(command: string, words: readonly string[]): string {
  const general = words.map((word, index) => {
    if (words[index - 1] === '--data-root') return 'FOLDER';
    return word.startsWith('--data-root=') ? '--data-root=FOLDER' : quoted(word);
  });
  return `${command} ${general.join(' ')}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
