import type { PeftExportOptions } from '@dynaprompt/training';

import { exportAdapter } from '../adapter/export-peft.js';
import type { Application } from '../application.js';
import { runComparison } from '../comparison/run-comparison.js';
import type { BundledFolder } from '../doctor/checks.js';
import { runDoctor } from '../doctor/run-doctor.js';
import type { Domain } from '../domain.js';
import type { ComparisonOptions, OutputOptions } from '../options/comparison.js';
import { serveQueue, type WorkerPlaces } from '../queue/command.js';
import type { StudyCommand } from '../study/command.js';
import type { StudyOptions, StudyPlaces } from '../study/options.js';
import { runStudy } from '../study/run-study.js';
import { runSweep, type SweepPlaces } from '../sweep/run-sweep.js';

/** What a command line was asked to do; those of all applications are asked this. */
export interface CommonActions<Options extends ComparisonOptions, Study extends StudyOptions> {
  /** Shows what there is to choose from. */
  list(options: { readonly json: boolean }): Promise<void> | void;
  /** Checks the installation. */
  doctor(options: { readonly json: boolean }): Promise<void>;
  /** Trains methods and compares them: `run`, `demo`. */
  compare(options: Options, output: OutputOptions): Promise<void>;
  /** Compares them with learning rates that were tuned. */
  study(options: Study, places: StudyPlaces): Promise<void>;
  /** Does the jobs of a YAML file. */
  sweep(places: SweepPlaces): Promise<void>;
  /** Does jobs of a queue. */
  worker(places: WorkerPlaces): Promise<void>;
  /** Writes a saved adapter in PEFT's format. */
  exportPeft(adapter: string, folder: string, options: PeftExportOptions): Promise<void>;
}

/** What an application's actions are made of. */
export interface ApplicationParts<Example, Options extends ComparisonOptions, Study extends StudyOptions> {
  readonly application: Application;
  /** Loads the domain: a command line that does not need it begins sooner without. */
  readonly domain: () => Promise<Domain<Example, Options, Study>>;
  readonly study: StudyCommand<Study>;
  /** Its `package.json`. */
  readonly manifest: URL;
  /** Modules that do the runs in processes of their own. */
  readonly workers: {
    /** Calls `serveComparison` with the domain. */
    readonly run: URL;
    /** Calls `serveStudy` with it. */
    readonly study: URL;
    /** Calls `serveSweep` with it. */
    readonly sweep: URL;
  };
  /** Models that ship with it. */
  readonly bundled: readonly BundledFolder[];
  /** What there is to choose from. */
  readonly list: {
    /** For people. */
    readonly text: () => string;
    /** For programs. */
    readonly json: () => unknown;
  };
}

/** The actions that all applications have. @param signal ends what takes long. */
export function commonActions<Example, Options extends ComparisonOptions, Study extends StudyOptions>(
  { application, domain, study, manifest, workers, bundled, list }: ApplicationParts<Example, Options, Study>,
  signal: AbortSignal,
): CommonActions<Options, Study> {
  return {
    list: ({ json }) => {
      process.stdout.write(`${json ? JSON.stringify(list.json(), null, 2) : list.text()}\n`);
    },
    doctor: (options) => runDoctor({ application, manifest, bundled }, options),
    compare: async (options, output) => {
      await runComparison(await domain(), options, output, signal, workers.run);
    },
    study: async (options, places) => {
      await runStudy(await domain(), workers.study, options, places, signal);
    },
    sweep: async (places) => {
      await runSweep(await domain(), study, workers.sweep, places, signal);
    },
    worker: (places) => serveQueue(application, workers.sweep, places, signal),
    exportPeft: (adapter, folder, options) => exportAdapter(application.program, adapter, folder, options),
  };
}
