import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { machine, round } from './measure.js';
import type { MemoryReport, MemoryRequest, MemoryUse, SessionSet } from './memory.js';

export type SharedOptions = Omit<MemoryRequest, 'sessions' | 'prepack'>;

const CHILD = fileURLToPath(new URL('./memory-child.js', import.meta.url));

/**
 * Memory of a training and an inference session of one model, opened one by one (`apart`) and by `openSharedSessions`
 * (`shared`), as a multiple of that of a training session alone; with weights that onnxruntime repacks and with weights mapped
 * from the file. Every configuration has a process of its own. `rss` counts pages that two sessions map twice; `pss` counts them
 * once, as the machine does, but libraries that other processes use too only in part.
 * @param measure how one configuration is measured.
 */
export async function benchShared(
  options: SharedOptions,
  measure: (request: MemoryRequest) => Promise<MemoryReport> = measureInChild,
): Promise<unknown> {
  const configurations = [];
  for (const prepack of [true, false]) {
    const of = async (sessions: SessionSet): Promise<MemoryReport> =>
      measure({ ...options, prepack, sessions });
    const [training, apart, shared] = [await of('training'), await of('apart'), await of('shared')];
    const ratiosOf = ({ megabytes }: MemoryReport): Record<keyof MemoryUse, number> => {
      const ratio = (name: keyof MemoryUse): number => round(megabytes[name] / training.megabytes[name]);
      return {
        rss: ratio('rss'),
        pss: ratio('pss'),
        anonymous: ratio('anonymous'),
        peakRss: ratio('peakRss'),
      };
    };
    configurations.push({
      prepack,
      provider: { asked: options.provider ?? 'cpu', used: training.provider },
      megabytes: { training: training.megabytes, apart: apart.megabytes, shared: shared.megabytes },
      ratios: { apart: ratiosOf(apart), shared: ratiosOf(shared) },
    });
  }
  const { model, batch, sequence, prompt, objective, compute } = options;
  const shape = { batch, sequence, prompt };
  return {
    benchmark: 'engine shared',
    model,
    objective,
    compute,
    shape,
    configurations,
    machine: machine(),
  };
}

/** Measures in a fresh process, whose warnings are passed on. */
export async function measureInChild(request: MemoryRequest, program = CHILD): Promise<MemoryReport> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    program,
    JSON.stringify(request),
  ]);
  process.stderr.write(stderr);
  return JSON.parse(stdout) as MemoryReport;
}
