import { ConfigurationError, DataError } from '@dynaprompt/core';
import { drawShots, requireShots } from '../datasets/few-shot.js';
import { stratifiedSample } from '../datasets/sample.js';
import { packageName } from '../package-name.js';
import { integerStream, shuffled } from '../random.js';
import { readOfficialLists, type OfficialLists } from './official-lists.js';
import type { ImageCollection, ImageEntry, LabelledImageDataset } from './types.js';

/** Every picture, or samples that keep the share of each class. */
export interface WholeProtocol {
  readonly kind: 'whole';
  /** Most training pictures; all of them where absent. */
  readonly limit?: number;
  /** Most validation pictures; all of them where absent. */
  readonly validationLimit?: number;
  /** Share of the training pictures that validates, of a set without a validation split; 0.1 where absent. */
  readonly validationShare?: number;
}

/**
 * K pictures of each class to train on and min(K, 4) to validate on, as CoOp draws them (Zhou et al. 2022): the latter from the
 * validation split, or from the training split where there is no other. The whole test split stays.
 */
export interface FewShotProtocol {
  readonly kind: 'few-shot';
  /** K, 1 … 32. */
  readonly shots: number;
}

/**
 * VTAB-1k (Zhai et al. 2019). `tuning`: 800 pictures to train on and 200 to choose hyper-parameters on, with the whole test split
 * as `test`. `final`: all 1,000 to train on; the test split becomes `validation`, so look at it once.
 */
export interface Vtab1kProtocol {
  readonly kind: 'vtab-1k';
  /** `tuning` where absent. */
  readonly part?: 'tuning' | 'final';
  /** The published pictures; drawn by seed where absent, from the validation split for the 200 if there is one. */
  readonly lists?: OfficialLists;
}

/** How pictures are chosen from a collection. */
export type ImageProtocol = WholeProtocol | FewShotProtocol | Vtab1kProtocol;

/** What is drawn from a collection. */
export interface SplitOptions {
  readonly seed: number;
  /** `whole` where absent. */
  readonly protocol?: ImageProtocol;
  /** Most test pictures, drawn with the share of each class; all of them where absent. */
  readonly testLimit?: number;
}

/** Pictures to validate on where VTAB-1k trains on 800. */
const vtabSizes = { train: 800, validation: 200 } as const;
/** Most pictures of a class that CoOp validates on. */
const MOST_VALIDATION_SHOTS = 4;
const VALIDATION_SHARE = 0.1;

interface Drawn<Entry> {
  readonly train: readonly Entry[];
  readonly validation: readonly Entry[];
  readonly test?: readonly Entry[];
}

/**
 * Draws the splits of a protocol and reads their pictures; the others are not read. The same seed draws the same pictures.
 * Rejects with a `ConfigurationError` for what was asked, and with a `DataError` where the collection has too few pictures.
 */
export async function splitImages<Entry extends ImageEntry>(
  collection: ImageCollection<Entry>,
  { seed, protocol = { kind: 'whole' }, testLimit }: SplitOptions,
): Promise<LabelledImageDataset> {
  requireCount('testLimit', testLimit);
  const drawn = await draw(collection, protocol, seed);
  const test = drawn.test && stratifiedSample(drawn.test, testLimit ?? drawn.test.length, seed);
  const { name, description, license, source, attribution, classes, faults } = collection;
  return {
    name,
    description: `${description} ${described(protocol)}`,
    license,
    source,
    ...(attribution !== undefined && { attribution }),
    classes,
    faults,
    train: await collection.pictures(drawn.train),
    validation: await collection.pictures(drawn.validation),
    ...(test && { test: await collection.pictures(test) }),
  };
}

async function draw<Entry extends ImageEntry>(
  collection: ImageCollection<Entry>,
  protocol: ImageProtocol,
  seed: number,
): Promise<Drawn<Entry>> {
  switch (protocol.kind) {
    case 'whole':
      return drawWhole(collection, protocol, seed);
    case 'few-shot':
      return drawFewShot(collection, protocol, seed);
    case 'vtab-1k':
      return drawVtab1k(collection, protocol, seed);
  }
}

function drawWhole<Entry extends ImageEntry>(
  { train, validation, test }: ImageCollection<Entry>,
  { limit, validationLimit, validationShare = VALIDATION_SHARE }: WholeProtocol,
  seed: number,
): Drawn<Entry> {
  requireCount('limit', limit);
  requireCount('validationLimit', validationLimit);
  const own = validation === undefined ? carved(train, validationShare, seed) : { train, validation };
  return {
    train: stratifiedSample(own.train, limit ?? own.train.length, seed),
    validation: stratifiedSample(own.validation, validationLimit ?? own.validation.length, seed),
    ...(test && { test }),
  };
}

/** Takes a share of every class from the training pictures; a class with one picture keeps it. */
function carved<Entry extends ImageEntry>(
  train: readonly Entry[],
  share: number,
  seed: number,
): Pick<Drawn<Entry>, 'train' | 'validation'> {
  if (!(share > 0 && share < 1)) {
    throw unusable(
      `validationShare ${share}`,
      'this is not a share of the training pictures',
      'Give a number between 0 and 1',
    );
  }
  const count = Math.max(1, Math.round(train.length * share));
  const kept = new Set(stratifiedSample(train, train.length - count, seed));
  const validation = train.filter((entry) => !kept.has(entry));
  if (kept.size > 0 && validation.length > 0) return { train: [...kept], validation };
  throw tooFew(train.length, 2, 'to train and to validate on');
}

function drawFewShot<Entry extends ImageEntry>(
  { train, validation, test, classes }: ImageCollection<Entry>,
  { shots }: FewShotProtocol,
  seed: number,
): Drawn<Entry> {
  requireShots(shots);
  const others = Math.min(shots, MOST_VALIDATION_SHOTS);
  const keyOf = ({ id }: Entry) => id;
  const shared = validation === undefined;
  const drawn = drawShots(train, classes, { train: shots, validation: shared ? others : 0, seed, keyOf });
  return {
    train: drawn.train,
    validation: shared
      ? drawn.validation
      : drawShots(validation, classes, { train: 0, validation: others, seed, keyOf }).validation,
    ...(test && { test }),
  };
}

async function drawVtab1k<Entry extends ImageEntry>(
  collection: ImageCollection<Entry>,
  { part = 'tuning', lists }: Vtab1kProtocol,
  seed: number,
): Promise<Drawn<Entry>> {
  const listed = lists && (await readOfficialLists(lists, collection));
  const drawn = listed ?? drawThousand(collection, seed);
  const test = listed?.test ?? collection.test;
  if (part === 'tuning') return { train: drawn.train, validation: drawn.validation, ...(test && { test }) };
  if (test !== undefined) return { train: [...drawn.train, ...drawn.validation], validation: test };
  throw unusable(
    'VTAB-1k, final part',
    'the data set has no test split',
    'Give one, in files of the data set or as a list, or use the tuning part',
  );
}

/** 800 and 200 pictures, drawn without regard to classes, as VTAB-1k does. */
function drawThousand<Entry extends ImageEntry>(
  { train, validation }: ImageCollection<Entry>,
  seed: number,
): Pick<Drawn<Entry>, 'train' | 'validation'> {
  const stream = integerStream(seed);
  const { train: most, validation: rest } = vtabSizes;
  const wanted = validation === undefined ? most + rest : most;
  if (train.length < wanted) throw tooFew(train.length, wanted, 'to train on');
  if (validation !== undefined && validation.length < rest)
    throw tooFew(validation.length, rest, 'to validate on');
  const pool = shuffled(train, stream);
  return {
    train: pool.slice(0, most),
    validation:
      validation === undefined ? pool.slice(most, wanted) : shuffled(validation, stream).slice(0, rest),
  };
}

function described(protocol: ImageProtocol): string {
  switch (protocol.kind) {
    case 'whole':
      return 'Where there is no validation split, a share of the training pictures validates.';
    case 'few-shot':
      return `${protocol.shots} pictures of each class train and ${Math.min(protocol.shots, MOST_VALIDATION_SHOTS)} validate.`;
    case 'vtab-1k': {
      const drawn = protocol.lists ? 'the published lists' : 'a draw by seed';
      return protocol.part === 'final'
        ? `VTAB-1k by ${drawn}: 1,000 pictures train, validation is the test split.`
        : `VTAB-1k by ${drawn}: 800 pictures train and 200 validate.`;
    }
  }
}

function requireCount(option: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return;
  throw unusable(
    `${option} ${value}`,
    'this is not a number of pictures',
    'Give a whole number of 1 or more',
  );
}

function unusable(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy });
}

function tooFew(found: number, wanted: number, what: string): DataError {
  return new DataError({
    packageName,
    subject: 'data set of pictures',
    problem: `it has ${found} pictures ${what}, and ${wanted} are needed`,
    remedy: 'Give more pictures, or choose another protocol',
  });
}
