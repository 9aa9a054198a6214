import type { Command } from 'commander';

import type { Application } from '../application.js';
import {
  type BundledFolder,
  checkCache,
  checkCores,
  checkHub,
  checkMemory,
  checkModels,
  checkNetworks,
  checkNode,
  checkRuntime,
  type Finding,
} from './checks.js';

/** What the `doctor` of an application looks at. */
export interface Patient {
  readonly application: Application;
  /** Its `package.json`. */
  readonly manifest: URL;
  readonly bundled: readonly BundledFolder[];
}

/** Adds `doctor`. */
export function addDoctor(
  program: Command,
  doctor: (options: { readonly json: boolean }) => Promise<void>,
): void {
  program
    .command('doctor')
    .description('check that everything is there that runs need, in a second or two')
    .option('--json', 'as one JSON document')
    .action(({ json = false }: { json?: boolean }) => doctor({ json }));
}

/** Looks at machine and installation; the exit code is 1 where something prevents work. */
export async function runDoctor(patient: Patient, { json }: { readonly json: boolean }): Promise<void> {
  const findings = await examine(patient);
  const isFit = findings.every(({ state }) => state !== 'fail');
  const { program } = patient.application;
  const text = json ? JSON.stringify({ ok: isFit, findings }, null, 2) : describe(program, findings);
  process.stdout.write(`${text}\n`);
  if (!isFit) process.exitCode = 1;
}

/** All findings; what has to wait for an answer does so while the rest is looked at. */
async function examine({ application, manifest, bundled }: Patient): Promise<readonly Finding[]> {
  const { versions } = application;
  const hub = checkHub();
  const networks = checkNetworks(versions.tfjs ?? 'unknown');
  const cache = checkCache();
  return [
    checkNode(),
    checkRuntime(manifest, versions['onnxruntime-node'] ?? 'unknown'),
    await networks,
    checkMemory(),
    checkCores(),
    await cache,
    await hub,
    checkModels(bundled),
  ];
}

function describe(program: string, findings: readonly Finding[]): string {
  const marks = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;
  const lines = findings.map(({ name, state, text }) => `${marks[state]}  ${name.padEnd(11)}  ${text}`);
  const failed = findings.filter(({ state }) => state === 'fail').length;
  const warned = findings.filter(({ state }) => state === 'warn').length;
  const verdict =
    failed > 0
      ? `${failed} of these prevent work.`
      : `${program} can work${warned > 0 ? `; ${warned} of these are worth a look` : ''}.`;
  return [...lines, '', verdict].join('\n');
}
