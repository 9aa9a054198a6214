/** Lets work begin only while what is being worked on fits into a number of bytes; first come, first served. */
export interface MemoryGate {
  /** Whether {@link acquire} would be granted at once. */
  hasRoom(bytes: number): boolean;
  /** Resolves when the bytes are free. More than the whole limit is granted alone. */
  acquire(bytes: number): Promise<void>;
  /** Gives acquired bytes back. */
  release(bytes: number): void;
}

/** A gate of `limit` bytes. */
export function createMemoryGate(limit: number): MemoryGate {
  let used = 0;
  const waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
  const fits = (bytes: number) => used === 0 || used + bytes <= limit;
  const gate: MemoryGate = {
    hasRoom: (bytes) => waiting.length === 0 && fits(bytes),
    acquire(bytes) {
      if (!gate.hasRoom(bytes)) {
        return new Promise((enter) => {
          waiting.push({ bytes, enter });
        });
      }
      used += bytes;
      return Promise.resolve();
    },
    release(bytes) {
      used -= bytes;
      for (let [next] = waiting; next && fits(next.bytes); [next] = waiting) {
        waiting.shift();
        used += next.bytes;
        next.enter();
      }
    },
  };
  return gate;
}
