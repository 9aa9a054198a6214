import { parquetSchema } from 'hyparquet';
import { z } from 'zod';
import type { ParquetFile } from '../datasets/formats/parquet.js';
import { imageFault } from './faults.js';

/** Columns that hold an example of a parquet file of pictures. */
export interface ImageColumns {
  /** Of the pictures: a struct of `bytes` and `path`, or bytes alone. */
  readonly image: string;
  readonly label: string;
  /** Names of the classes in the order of their numbers; undefined where the file has none. */
  readonly names: readonly string[] | undefined;
}

/** Labels of known data sets, the first that a file has. */
const usualLabels = ['label', 'fine_label', 'labels', 'coarse_label'];

const featureSchema = z.looseObject({ _type: z.string().optional(), names: z.array(z.string()).optional() });
const metadataSchema = z.looseObject({
  info: z.looseObject({ features: z.record(z.string(), z.unknown()) }),
});

/**
 * Finds the columns of pictures and labels from the features that the Hub's `datasets` writes into the metadata of a file, and
 * from the schema where it has none. `label` names the column of the labels where there are several. Throws a `DataError`
 * that lists the columns.
 */
export function imageColumns(file: ParquetFile, label?: string): ImageColumns {
  const features = featuresOf(file);
  const ofType = (type: string) => file.columns.filter((name) => features.get(name)?._type === type);
  const image = ofType('Image')[0] ?? file.columns.find((name) => isPicture(file, name));
  if (image === undefined) throw noColumn(file, 'no column of pictures');
  if (label !== undefined && !file.columns.includes(label)) throw noColumn(file, `no column "${label}"`);
  const classes = ofType('ClassLabel');
  const usual = usualLabels.find((name) => file.columns.includes(name));
  const chosen = label ?? usual ?? (classes.length === 1 ? classes[0] : undefined);
  if (chosen === undefined) throw noColumn(file, 'no one column of labels');
  return { image, label: chosen, names: features.get(chosen)?.names };
}

/** Features by column, as far as the metadata can be understood. */
function featuresOf({ metadata }: ParquetFile): ReadonlyMap<string, z.infer<typeof featureSchema>> {
  const text = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
  const parsed = metadataSchema.safeParse(text === undefined ? undefined : json(text));
  if (!parsed.success) return new Map();
  return new Map(
    Object.entries(parsed.data.info.features).flatMap(([name, feature]) => {
      const known = featureSchema.safeParse(feature);
      return known.success ? [[name, known.data]] : [];
    }),
  );
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a column looks like pictures: a struct with `bytes`, or bytes that are not marked as text. */
function isPicture({ metadata }: ParquetFile, name: string): boolean {
  const node = parquetSchema(metadata).children.find(({ element }) => element.name === name);
  if (node === undefined) return false;
  if (node.children.length > 0) return node.children.some(({ element }) => element.name === 'bytes');
  const { type, converted_type: converted, logical_type: logical } = node.element;
  return type === 'BYTE_ARRAY' && converted === undefined && logical === undefined;
}

function noColumn({ path, columns }: ParquetFile, problem: string) {
  return imageFault(
    path,
    `it has ${problem}`,
    `Name the column of the labels, and give a file with pictures inside; its columns are ${columns.join(', ')}`,
  );
}
