import type { Command } from 'commander';

import type { Application } from '../application.js';
import { addDoctor } from '../doctor/run-doctor.js';
import {
  addDemonstration,
  addExportPeft,
  addList,
  createProgram,
  type Demonstration,
} from '../options/commands.js';
import type { ComparisonFlags, ComparisonOptions } from '../options/comparison.js';
import { completeRun } from '../options/run-command.js';
import { addWorker } from '../queue/command.js';
import { addStudy, type StudyCommand } from '../study/command.js';
import type { StudyOptions } from '../study/options.js';
import { addSweep } from '../sweep/command.js';
import type { CommonActions } from './actions.js';

/** What the command line of one application has of its own. */
export interface OwnCommands<Flags, Options extends ComparisonOptions, Study extends StudyOptions> {
  readonly application: Application;
  /** What it does, in one sentence. */
  readonly description: string;
  /** Adds the flags of `run`, all but those that every run has. */
  addRunFlags(command: Command): void;
  /** Puts them together. @throws ConfigurationError where they do not go together. */
  readonly optionsOf: (flags: Flags) => Options;
  readonly study: StudyCommand<Study>;
  readonly demonstration: Demonstration<Options>;
  /** Adds `predict`, `inspect`: what a saved adapter is good for. */
  addUses(program: Command): void;
  /** Adds formats of its own that adapters are written in; absent where there are none. */
  addExports?(program: Command): void;
}

/**
 * The command line of an application. Parsing throws a `CommanderError` instead of ending the process; messages go to
 * `writeError`.
 */
export function applicationCommandLine<
  Flags extends Pick<ComparisonFlags, 'task'>,
  Options extends ComparisonOptions,
  Study extends StudyOptions,
>(
  own: OwnCommands<Flags, Options, Study>,
  actions: CommonActions<Options, Study>,
  writeError: (text: string) => void,
): Command {
  const { application, optionsOf } = own;
  const program = createProgram(application, own.description, writeError);
  const compare: typeof actions.compare = (options, output) => actions.compare(options, output);
  addList(program, 'show tasks, methods and bundled backbones', (options) => actions.list(options));
  const run = program.command('run').description('train methods on a task and compare them');
  own.addRunFlags(run);
  completeRun<Flags, Options>(run, { optionsOf, compare });
  addStudy(program, own.study, (options, places) => actions.study(options, places));
  addSweep(program, application.name, (places) => actions.sweep(places));
  addWorker(program, (places) => actions.worker(places));
  addDemonstration(program, own.demonstration, compare);
  own.addUses(program);
  addDoctor(program, (options) => actions.doctor(options));
  own.addExports?.(program);
  addExportPeft(program, (adapter, folder, options) => actions.exportPeft(adapter, folder, options));
  return program;
}
