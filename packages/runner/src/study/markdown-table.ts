import type { TextTable } from '@dynaprompt/benchmarks';

/** A table in Markdown, in columns of equal width as formatters leave them. Cells may not hold `|`. */
export function markdownTable({ columns, rows }: TextTable): string {
  const widths = columns.map(({ title }, place) =>
    Math.max(3, title.length, ...rows.map((row) => (row[place] ?? '').length)),
  );
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const padded = (cells: readonly string[]): string =>
    line(
      columns.map(({ align }, place) => {
        const [cell, width] = [cells[place] ?? '', widths[place] ?? 0];
        return align === 'right' ? cell.padStart(width) : cell.padEnd(width);
      }),
    );
  const rule = columns.map(({ align }, place) => {
    const width = widths[place] ?? 0;
    return align === 'right' ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width);
  });
  return [padded(columns.map(({ title }) => title)), line(rule), ...rows.map(padded)].join('\n');
}
