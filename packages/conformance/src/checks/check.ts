import type { Subject } from '../subject.js';

/** What a check goes by to know whether it applies. */
export type Applicable = Pick<Subject<never>, 'capabilities' | 'deep' | 'head'> & {
  readonly options: { readonly training?: unknown };
};

/** One contract, checked on a backbone. */
export interface Check {
  readonly title: string;
  /** Whether a backbone is asked for it; default: every one. */
  readonly applies?: (subject: Applicable) => boolean;
  /** @throws ConformanceError where the contract is broken. */
  readonly run: <Example>(subject: Subject<Example>) => Promise<void>;
}
