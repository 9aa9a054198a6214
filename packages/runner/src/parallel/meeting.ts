import type { RankChannel } from './channel.js';
import { RankLostError } from './errors.js';

interface Round {
  readonly messages: Map<number, Uint8Array>;
  readonly waiting: { resolve: (all: readonly Uint8Array[]) => void; reject: (error: Error) => void }[];
}

/** Where the messages of all ranks meet, within one process. */
export class Meeting {
  private readonly rounds = new Map<number, Round>();
  private loss: RankLostError | undefined;

  constructor(readonly size: number) {}

  /** Resolves with the messages of the round when all ranks have given theirs. @throws RankLostError */
  offer(rank: number, round: number, message: Uint8Array): Promise<readonly Uint8Array[]> {
    if (this.loss !== undefined) return Promise.reject(this.loss);
    const at = this.rounds.get(round) ?? { messages: new Map<number, Uint8Array>(), waiting: [] };
    this.rounds.set(round, at);
    at.messages.set(rank, message);
    const all = new Promise<readonly Uint8Array[]>((resolve, reject) => {
      at.waiting.push({ resolve, reject });
    });
    if (at.messages.size === this.size) {
      this.rounds.delete(round);
      const ordered = [...at.messages].sort(([first], [second]) => first - second).map(([, given]) => given);
      for (const { resolve } of at.waiting) resolve(ordered);
    }
    return all;
  }

  /** Says that a rank is gone: whoever waits, or offers later, is told. The first loss counts. */
  lose(rank: number, how: string): void {
    this.loss ??= new RankLostError(rank, how);
    for (const { waiting } of this.rounds.values()) for (const { reject } of waiting) reject(this.loss);
    this.rounds.clear();
  }

  /** The channel of a rank in this process. */
  channel(rank: number): RankChannel {
    return { rank, size: this.size, gather: (round, message) => this.offer(rank, round, message) };
  }
}
