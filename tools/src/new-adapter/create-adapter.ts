import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { checkName } from './adapter-name.js';
import { exampleTexts } from './example-texts.js';
import { measure, type Behaviour } from './measure.js';
import { projectFiles } from './project-files.js';
import { readmeFile } from './readme-file.js';
import { renderSources, type Files } from './render.js';
import { readSubject, type SubjectModel } from './subject-model.js';
import { testFiles } from './test-files.js';
import { wire, type LockedManifest } from './wire.js';

/** What an adapter is made of. */
export interface NewAdapter {
  /** Folder of the workspace. */
  readonly root: string;
  readonly name: string;
  /** Folder of the model. */
  readonly model: string;
}

/** Models up to this size are copied into the package, so that its tests need nothing else. */
const LARGEST_COPY = 8 << 20;

/**
 * Makes packages/NAME, and a member of the workspace of it. Nothing is left of a package that could not be finished.
 * @returns what to say about it.
 * @throws ConfigurationError if the name is taken or none; ModelError if the model cannot be tuned, or not by such an adapter.
 */
export async function createAdapter({ root, name, model }: NewAdapter): Promise<readonly string[]> {
  checkName(root, name);
  const subject = readSubject(model, name);
  const target = join(root, 'packages', name);
  const draft = mkdtempSync(join(root, 'packages', '.new-adapter-'));
  let isInPlace = false;
  try {
    const size = subject.files.reduce((sum, { from }) => sum + statSync(from).size, 0);
    const isCopied = size <= LARGEST_COPY;
    const config = join(draft, 'fixtures/config.json');
    write(config, JSON.stringify(subject.config));
    const behaviour = await measure(subject.files[0].from, subject.entry.kind, config);
    if (isCopied) for (const { from, to } of subject.files) copy(from, join(draft, 'fixtures', to));
    else rmSync(dirname(config), { recursive: true });
    const folder = isCopied ? 'fixtures' : relative(target, subject.folder);
    const files = renderAll(root, name, subject, behaviour, folder);
    for (const [file, text] of files) write(join(draft, file), text);
    await formatAll(draft, [...files.keys(), ...(isCopied ? ['fixtures/config.json'] : [])], root);
    chmodSync(draft, 0o755);
    renameSync(draft, target);
    isInPlace = true;
    const manifest = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')) as LockedManifest;
    wire(root, name, manifest);
    return [
      `packages/${name}: an adapter for models like ${subject.inspection.file}`,
      `  prompts stand among ${subject.entry.tensor}, the head reads ${subject.inspection.hidden ?? ''}`,
      ...(isCopied
        ? []
        : [`  its tests read ${subject.folder}: give them a smaller model to run them elsewhere`]),
      `Next: npm run build, and cd packages/${name} && npm test`,
    ];
  } catch (failure) {
    rmSync(isInPlace ? target : draft, { recursive: true, force: true });
    throw failure;
  }
}

function renderAll(
  root: string,
  name: string,
  subject: SubjectModel,
  behaviour: Behaviour,
  folder: string,
): Files {
  const { entry, files, inspection, config } = subject;
  const { isCausal, hasPositions } = behaviour;
  const manifestOf = (sibling: string): Parameters<typeof projectFiles>[2]['backbone'] =>
    JSON.parse(readFileSync(join(root, 'packages', sibling, 'package.json'), 'utf8')) as ReturnType<
      typeof manifestOf
    >;
  const texts = exampleTexts(entry, behaviour, Number(config.pad_token_id ?? 0));
  const canFineTune = subject.canFineTune && behaviour.masksPadding;
  const capabilities = {
    ...(hasPositions ? {} : { position: false }),
    ...(isCausal ? { gates: false } : {}),
    ...(canFineTune ? {} : { fineTuning: false }),
  };
  const siblings = { backbone: manifestOf('backbone'), vision: manifestOf('vision') };
  return new Map([
    ...projectFiles(name, inspection.family ?? name, siblings),
    ...renderSources(name, entry.kind, { isCausal, hasPositions, modelFile: files[0].to }),
    ...testFiles({ name, kind: entry.kind, folder, ...texts, capabilities }),
    ...readmeFile(name, { ...subject, canFineTune }, behaviour, { folder, examples: texts.inReadme }),
  ]);
}

/** Writes files as prettier of the workspace would have them. */
async function formatAll(folder: string, files: readonly string[], root: string): Promise<void> {
  const style = await resolveConfig(join(root, 'package.json'));
  for (const file of files) {
    const path = join(folder, file);
    writeFileSync(path, await format(readFileSync(path, 'utf8'), { ...style, filepath: path }));
  }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function copy(from: string, to: string): void {
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}
