import { readLines } from '../datasets/formats/read-bytes.js';
import { imageFault } from './faults.js';
import type { ImageCollection, ImageEntry } from './types.js';

/** Files with an id of a picture on each line, alone or with its label behind it: `train/cat/7.png 0`. */
export interface OfficialLists {
  readonly train: string;
  readonly validation: string;
  /** The test split of the data set where absent. */
  readonly test?: string;
}

/** Pictures of the lists. */
export interface ListedSplits<Entry> {
  readonly train: readonly Entry[];
  readonly validation: readonly Entry[];
  readonly test?: readonly Entry[];
}

/**
 * Looks up the pictures of lists in a collection, whichever of its splits they are in. Rejects with a `DataError` that names file
 * and line where a picture is unknown, listed twice or in two lists, or listed with another label.
 */
export async function readOfficialLists<Entry extends ImageEntry>(
  lists: OfficialLists,
  { train, validation = [], test = [] }: ImageCollection<Entry>,
): Promise<ListedSplits<Entry>> {
  const byId = new Map([...train, ...validation, ...test].map((entry) => [entry.id, entry]));
  const seen = new Map<string, string>();
  const trained = await readList(lists.train, byId, seen);
  const validated = await readList(lists.validation, byId, seen);
  const tested = lists.test === undefined ? undefined : await readList(lists.test, byId, seen);
  return { train: trained, validation: validated, ...(tested && { test: tested }) };
}

async function readList<Entry extends ImageEntry>(
  path: string,
  byId: ReadonlyMap<string, Entry>,
  seen: Map<string, string>,
): Promise<readonly Entry[]> {
  const lines = (await readLines(path)).filter(({ text }) => text?.trim() !== '');
  return lines.map(({ line, text = '' }) => {
    const place = `${path} line ${line}`;
    const { id, label } = partsOf(text.trim(), byId);
    const entry = byId.get(id);
    if (entry === undefined) {
      const [example = ''] = byId.keys();
      throw imageFault(
        place,
        `the data set has no picture "${id}"`,
        `Give the list of this data set; its pictures are named as "${example}"`,
      );
    }
    const earlier = seen.get(id);
    if (earlier !== undefined) {
      throw imageFault(place, `"${id}" stands in ${earlier} already`, 'List every picture once');
    }
    seen.set(id, place);
    if (label !== undefined && label !== entry.label) {
      throw imageFault(
        place,
        `the label is ${label}, and that of the picture is ${entry.label}`,
        'Give a data set whose classes are in the order of the list',
      );
    }
    return entry;
  });
}

/** A line is an id, or an id and a label; ids may hold spaces. */
function partsOf(
  text: string,
  byId: ReadonlyMap<string, unknown>,
): { readonly id: string; readonly label?: number } {
  const match = byId.has(text) ? null : /^(.*\S)\s+(\d+)$/.exec(text);
  return match?.[1] === undefined ? { id: text } : { id: match[1], label: Number(match[2]) };
}
