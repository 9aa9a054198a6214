import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type InspectedText, type NodeAnswer, nodeAnswers } from './node-answers.js';
import { runNode } from './run-program.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const glue = join(root, 'apps/glue/dist/main.js');
const browserApp = join(root, 'apps/browser/dist/main.js');
const guide = join(root, 'docs/guides/deploy.md');

/** Among them what is markup, what the vocabulary lacks, and more tokens than the model takes. */
const TEXTS = [
  'Congratulations! You have won a free holiday, click now to claim',
  'Re: [ILUG] kernel panic after upgrade',
  'meeting moved to Thursday',
  '<b>Lowest</b> rates & no fees, guaranteed — naïve 東京 😀',
  'free',
  'this subject line has no end and goes on and on '.repeat(20).trim(),
];

/** Few steps; places and lengths begin undecided, so that texts differ in them. */
const TRAINING =
  '--task spam-assassin --methods dynamic --seeds 1 --steps 20 --batch 8 --slots 6 --limit 160 --validation-limit 40 ' +
  '--evaluate-every 20 --network-learning-rate 0.05 --set prompt.length.initialProbability=0.2 --output run';
const ADAPTER = 'run/adapters/dynamic-seed1';

/** A site with a freshly trained model, and what is to be seen there. */
export interface Prepared {
  readonly site: string;
  /** Name of the page of the guide, which lies in the site too. */
  readonly guidePage: string;
  readonly answers: readonly NodeAnswer[];
  /** What the program of the guide says of the same texts, by label. */
  readonly guideAnswers: readonly Readonly<Record<string, number>>[];
}

/** Trains, exports and builds in an empty folder, with the command lines of the two applications. */
export async function prepare(folder: string, say: (line: string) => void): Promise<Prepared> {
  say('training');
  await runNode(glue, ['run', ...TRAINING.split(' ')], folder);
  say('exporting');
  await runNode(glue, ['export', ADAPTER, 'tuned', '--report-choices'], folder);
  say('building the site');
  await runNode(browserApp, ['build', 'tuned', 'site'], folder);
  await writeFile(join(folder, 'texts.txt'), `${TEXTS.join('\n')}\n`);
  say('answering in Node');
  const inspected = await runNode(glue, ['inspect', ADAPTER, '--file', 'texts.txt', '--json'], folder);
  const lines = inspected.trimEnd().split('\n');
  const answers = await nodeAnswers(
    join(folder, 'tuned'),
    lines.map((line) => JSON.parse(line) as InspectedText),
  );
  const guidePage = 'minimal.html';
  await writeFile(join(folder, 'site', guidePage), await blockOf('html'));
  return { site: join(folder, 'site'), guidePage, answers, guideAnswers: await runGuideProgram(folder) };
}

/** Runs the program of the guide as a reader would: in a folder with the library and the model. */
async function runGuideProgram(folder: string): Promise<readonly Readonly<Record<string, number>>[]> {
  const place = join(folder, 'reader');
  await mkdir(join(place, 'models'), { recursive: true });
  await symlink(join(root, 'node_modules'), join(place, 'node_modules'));
  await symlink(join(folder, 'tuned'), join(place, 'models', 'tuned'));
  await writeFile(join(place, 'classify.mjs'), await blockOf('mjs'));
  const output = await runNode(join(place, 'classify.mjs'), TEXTS, place);
  const lines = output.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, number>>);
}

/** The block of the guide in this language. */
async function blockOf(language: string): Promise<string> {
  const text = await readFile(guide, 'utf8');
  const [, code] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(text) ?? [];
  if (code === undefined) throw new Error(`${guide} has no block of ${language}`);
  return code;
}
