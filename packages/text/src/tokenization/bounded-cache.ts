/**
 * What was made of objects, kept while those live and while there is room. When half of the room is filled, what was not asked for
 * since the last time goes. Objects are not kept alive.
 */
export class BoundedCache<Key extends object, Value> {
  #recent = new WeakMap<Key, Value>();
  #older = new WeakMap<Key, Value>();
  #filled = 0;

  /**
   * @param room for values, in the unit of `sizeOf`.
   * @param sizeOf size of a value.
   */
  constructor(
    private readonly room: number,
    private readonly sizeOf: (value: Value) => number,
  ) {}

  /** What `make` made of a key, now or before. */
  get(key: Key, make: (key: Key) => Value): Value {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const value = this.#older.get(key) ?? make(key);
    const size = this.sizeOf(value);
    if (this.#filled + size > this.room / 2) {
      this.#older = this.#recent;
      this.#recent = new WeakMap();
      this.#filled = 0;
    }
    this.#recent.set(key, value);
    this.#filled += size;
    return value;
  }
}
