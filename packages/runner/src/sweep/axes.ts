/** A value of an option: plain JSON, no list. */
export type OptionValue = string | number | boolean | null;

/** One choice of every option, by dotted name. */
export type Setting = Readonly<Record<string, OptionValue>>;

/** Options as a file has them, nested or dotted, values or lists of them. */
export interface OptionTree {
  readonly [name: string]: OptionNode;
}
type OptionNode = OptionValue | readonly OptionValue[] | OptionTree;

/** The values of every option by its dotted name; an option without a list has one. */
export type Axes = ReadonlyMap<string, readonly OptionValue[]>;

/** Options by dotted name: `{ a: { b: [1, 2] } }` is `a.b` with two values. Of two spellings of one option the last counts. */
export function axesOf(options: OptionTree): Axes {
  return new Map(entriesOf(options, ''));
}

function entriesOf(options: OptionTree, prefix: string): [string, readonly OptionValue[]][] {
  return Object.entries(options).flatMap(([key, node]): [string, readonly OptionValue[]][] => {
    const name = `${prefix}${key}`;
    if (isList(node)) return [[name, node]];
    return typeof node === 'object' && node !== null ? entriesOf(node, `${name}.`) : [[name, [node]]];
  });
}

/** Every combination of values; the last option changes fastest. */
export function settingsOf(axes: Axes): readonly Setting[] {
  let settings: Setting[] = [{}];
  for (const [name, values] of axes) {
    settings = settings.flatMap((setting) => values.map((value) => ({ ...setting, [name]: value })));
  }
  return settings;
}

/** Every combination of each case in turn; a case's values go before those that all have in common. */
export function settingsOfCases(
  options: OptionTree,
  cases: readonly OptionTree[] = [{}],
): readonly Setting[] {
  return cases.flatMap((own) => settingsOf(new Map([...axesOf(options), ...axesOf(own)])));
}

/** Options that are not the same everywhere: what tells the settings of a sweep apart. */
export function variedOf(settings: readonly Setting[]): readonly string[] {
  const names = new Set(settings.flatMap((setting) => Object.keys(setting)));
  return [...names].filter((name) => new Set(settings.map((setting) => setting[name] ?? null)).size > 1);
}

/** Dotted names as nested objects again. */
export function nestedOf(setting: Setting): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(setting)) {
    const parts = name.split('.');
    let place = root;
    for (const part of parts.slice(0, -1)) {
      const inner = place[part];
      const next = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
      place[part] = next;
      place = next;
    }
    place[parts.at(-1) ?? ''] = value;
  }
  return root;
}

function isList(node: OptionNode): node is readonly OptionValue[] {
  return Array.isArray(node);
}
