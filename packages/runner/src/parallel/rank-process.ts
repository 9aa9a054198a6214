import type { RankChannel } from './channel.js';
import { RankLostError } from './errors.js';

/** What a rank in a child process sends its parent. */
export interface GatherRequest {
  readonly type: 'gather';
  readonly round: number;
  readonly message: Uint8Array;
}

/** What the parent sends back. */
export type GatherAnswer =
  | { readonly type: 'gathered'; readonly round: number; readonly messages: readonly Uint8Array[] }
  | { readonly type: 'lost'; readonly rank: number; readonly how: string };

/** Environment of a child process that is a rank. */
export const rankVariables = { rank: 'DYNAPROMPT_RANK', size: 'DYNAPROMPT_RANKS' } as const;

/** The channel of this process to the other ranks; undefined where it is none. */
export function ownChannel(environment: NodeJS.ProcessEnv = process.env): RankChannel | undefined {
  const { [rankVariables.rank]: rank, [rankVariables.size]: size } = environment;
  if (rank === undefined || size === undefined || process.send === undefined) return undefined;
  let waiting: { resolve: (all: readonly Uint8Array[]) => void; reject: (error: Error) => void } | undefined;
  let lost: RankLostError | undefined;
  process.on('message', (answer: GatherAnswer) => {
    if (answer.type === 'gathered') {
      waiting?.resolve(answer.messages);
      return;
    }
    lost ??= new RankLostError(answer.rank, answer.how);
    waiting?.reject(lost);
  });
  // Without a parent there is nobody to meet.
  process.on('disconnect', () => {
    lost ??= new RankLostError(Number(rank), 'the process that joins the ranks has ended');
    waiting?.reject(lost);
  });
  // Listening keeps no process alive that has finished.
  process.channel?.unref();
  return {
    rank: Number(rank),
    size: Number(size),
    gather: async (round, message) => {
      if (lost !== undefined) throw lost;
      process.channel?.ref();
      try {
        return await new Promise((resolve, reject) => {
          waiting = { resolve, reject };
          const request: GatherRequest = { type: 'gather', round, message };
          // A parent that was killed is seen here first, at times: unheard, the error would end this process without a word.
          process.send?.(request, undefined, undefined, (error) => {
            if (error === null) return;
            lost ??= new RankLostError(Number(rank), 'the process that joins the ranks has ended');
            reject(lost);
          });
        });
      } finally {
        waiting = undefined;
        process.channel?.unref();
      }
    },
  };
}
