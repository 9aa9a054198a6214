import { ModelError } from '@dynaprompt/core';
import type { Session } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from '../package-name.js';

/** Sessions of one backbone, opened when they are first needed. */
export class SessionCache {
  readonly #open = new Map<string, Promise<Session>>();
  #isReleased = false;

  constructor(private readonly owner: string) {}

  /**
   * The session of a purpose. One that failed to open is tried again at the next call.
   * @throws ModelError after `release`.
   */
  async get(purpose: string, open: () => Promise<Session>): Promise<Session> {
    this.#refuseIfReleased();
    const session = this.#open.get(purpose) ?? open();
    this.#open.set(purpose, session);
    try {
      await session;
    } catch (failure) {
      if (this.#open.get(purpose) === session) this.#open.delete(purpose);
      throw failure;
    }
    this.#refuseIfReleased();
    return session;
  }

  /**
   * What `make` makes.
   * @throws ModelError after `release`.
   */
  whileOpen<T>(make: () => T): Promise<T> {
    return Promise.resolve().then(() => {
      this.#refuseIfReleased();
      return make();
    });
  }

  /** Frees all sessions; a second call does nothing. */
  async release(): Promise<void> {
    this.#isReleased = true;
    const sessions = [...this.#open.values()];
    this.#open.clear();
    for (const opened of await Promise.allSettled(sessions)) {
      if (opened.status === 'fulfilled') await opened.value.release();
    }
  }

  #refuseIfReleased(): void {
    if (!this.#isReleased) return;
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: this.owner,
      problem: 'the backbone was released',
      remedy: 'Open it again, or release it after its last use',
    });
  }
}
