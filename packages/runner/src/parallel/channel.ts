/** What joins the processes that train one run. */
export interface RankChannel {
  /** 0 … size − 1 */
  readonly rank: number;
  readonly size: number;
  /**
   * Gives the own message of a round, and resolves with those of all ranks, in their order. Rounds are numbered from 0; every rank
   * takes part in all of them.
   *
   * @throws RankLostError naming the rank that is gone.
   */
  gather(round: number, message: Uint8Array): Promise<readonly Uint8Array[]>;
}
