import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Graph } from '@dynaprompt/onnx-autodiff';

/** Architectures that the torch program builds in their published sizes. */
export const PEER_FAMILIES = ['bert', 'vit', 'gpt2'] as const;
export type PeerFamily = (typeof PEER_FAMILIES)[number];

/** The family whose export a model file looks like, told by its inputs. */
export function peerFamilyOf(model: string): PeerFamily {
  const { inputs } = Graph.read(model);
  if (inputs.has('pixel_values')) return 'vit';
  return inputs.has('token_type_ids') ? 'bert' : 'gpt2';
}

/** The same work in PyTorch, in a process of its own that waits between steps. */
export interface Peer {
  /** One forward and backward, or a forward alone; milliseconds as torch's process counts them. */
  run(command: 'step' | 'forward'): Promise<number>;
  /** Peak memory of the process, megabytes. */
  memory(): Promise<number>;
  close(): Promise<void>;
}

/** Sizes of a peer's work; `sequence` without the prompt. */
export interface PeerShape {
  readonly batch: number;
  readonly sequence: number;
  readonly prompt: number;
}

/**
 * Starts Debian's PyTorch (python3-torch with libopenblas0-openmp; see tools/exporters/base_models.py).
 * @throws Error if python or torch is not installed.
 */
export function startPeer(family: PeerFamily, shape: PeerShape, threads: number): Peer {
  return startProgram('base_models.py', ['serve', family], shape, threads);
}

/**
 * Starts the published implementation's training step (see tools/exporters/reference_step.py), which knows no `forward`.
 * @throws Error if python or torch is not installed.
 */
export function startReference(shape: PeerShape, threads: number): Peer {
  return startProgram('reference_step.py', [], shape, threads);
}

function startProgram(file: string, words: readonly string[], shape: PeerShape, threads: number): Peer {
  const program = fileURLToPath(new URL(`../../exporters/${file}`, import.meta.url));
  const sizes = Object.entries({ ...shape, threads }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const child = spawn('/usr/bin/python3', [program, ...words, ...sizes], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (command: string): Promise<number> => {
    child.stdin.write(`${command}\n`);
    const answer = await lines.next();
    if (answer.done === true) {
      throw new Error(`${program}: ended without an answer; install python3-torch and libopenblas0-openmp.`);
    }
    // OpenMP's threads spin a while after a step; let them go to sleep before the engine's turn.
    await setTimeout(100);
    return Number(answer.value);
  };
  return {
    run: ask,
    memory: () => ask('memory'),
    async close() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
