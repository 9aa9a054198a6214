import { type ChildProcess, fork } from 'node:child_process';

import { RankLostError } from './errors.js';
import { type GatherAnswer, type GatherRequest, rankVariables } from './rank-process.js';

/** Where the messages of the ranks that a process has started meet those of the others. */
export interface RankHub {
  readonly size: number;
  /** @throws RankLostError */
  offer(rank: number, round: number, message: Uint8Array): Promise<readonly Uint8Array[]>;
  /** Tells the others that a rank is gone. */
  lose(rank: number, how: string): void | Promise<void>;
}

export interface LaunchOptions {
  /** Script and arguments of every rank: those of this process. */
  readonly script: string;
  readonly words: readonly string[];
  /** Ranks to start here. */
  readonly ranks: readonly number[];
  readonly hub: RankHub;
  readonly signal: AbortSignal;
}

/**
 * Starts ranks as child processes and joins them until all have ended. The first of them has the terminal; of the others only
 * what they complain of is kept, for the message where one is lost.
 *
 * @returns exit code of the first rank, which has said itself what went wrong.
 * @throws RankLostError where the first rank was ended from outside.
 */
export async function launchRanks({ script, words, ranks, hub, signal }: LaunchOptions): Promise<number> {
  const children = ranks.map((rank, index) => startRank(script, words, rank, hub.size, index === 0));
  const stop = (): void => {
    for (const { child } of children) child.kill('SIGINT');
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const endings = await Promise.all(children.map((started) => join(started, hub)));
    const [first] = endings;
    if (first?.code === null || first === undefined) {
      throw new RankLostError(ranks[0] ?? 0, `ended by ${first?.signal ?? 'unknown'}`);
    }
    return first.code;
  } finally {
    signal.removeEventListener('abort', stop);
    for (const { child } of children) child.kill('SIGKILL');
  }
}

interface StartedRank {
  readonly rank: number;
  readonly child: ChildProcess;
  /** What it complained of last. */
  readonly complaint: () => string;
}

function startRank(
  script: string,
  words: readonly string[],
  rank: number,
  size: number,
  hasTerminal: boolean,
): StartedRank {
  const child = fork(script, words, {
    serialization: 'advanced',
    // In a group of their own: Ctrl-C reaches this process alone, which passes it on once.
    detached: true,
    env: { ...process.env, [rankVariables.rank]: `${rank}`, [rankVariables.size]: `${size}` },
    stdio: hasTerminal ? 'inherit' : ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let written = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    written = (written + text).slice(-1000);
  });
  return { rank, child, complaint: () => written.trim().split('\n').at(-1) ?? '' };
}

/** Passes messages of a rank on until it has ended. */
function join(
  { rank, child, complaint }: StartedRank,
  hub: RankHub,
): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    const answer = (content: GatherAnswer): void => {
      if (child.connected) child.send(content, () => undefined);
    };
    child.on('message', ({ round, message }: GatherRequest) => {
      hub.offer(rank, round, message).then(
        (messages) => {
          answer({ type: 'gathered', round, messages });
        },
        (error: unknown) => {
          const lost = error instanceof RankLostError ? error : undefined;
          answer({
            type: 'lost',
            rank: lost?.rank ?? rank,
            how: lost?.how ?? (error instanceof Error ? error.message : String(error)),
          });
        },
      );
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code !== 0) {
        const how = signal === null ? `ended with exit code ${code ?? 'unknown'}` : `ended by ${signal}`;
        const words = complaint();
        // Where the others are out of reach, they miss its signs of life.
        void Promise.resolve(hub.lose(rank, words === '' ? how : `${how}: ${words}`)).catch(() => undefined);
      }
      resolve({ code, signal });
    });
  });
}
