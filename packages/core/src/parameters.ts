import type { ParameterSet } from './contracts/tensor.js';
import { DataError } from './errors.js';

/**
 * Writes saved values into parameters of the same names and shapes, e.g. those of a checkpoint into a freshly created prompt.
 *
 * @throws DataError when a name is missing or superfluous or a shape differs; nothing is written then.
 */
export function restoreParameters(target: ParameterSet, source: ParameterSet): void {
  const superfluous = [...source.keys()].filter((name) => !target.has(name));
  if (superfluous.length > 0) throw mismatch(superfluous.join(', '), 'is not a parameter here');
  const copies = [...target].map(([name, tensor]) => {
    const saved = source.get(name);
    if (saved === undefined) throw mismatch(name, 'has no saved value');
    const shapes = [saved.shape, tensor.shape].map((shape) => `[${shape.join(', ')}]`);
    if (shapes[0] !== shapes[1] || saved.values.length !== tensor.values.length) {
      throw mismatch(name, `was saved with shape ${String(shapes[0])}, expected ${String(shapes[1])}`);
    }
    return () => {
      tensor.values.set(saved.values);
    };
  });
  for (const copy of copies) copy();
}

function mismatch(subject: string, problem: string): DataError {
  return new DataError({
    packageName: '@dynaprompt/core',
    subject: `parameter ${subject}`,
    problem,
    remedy: 'Restore with the configuration and the backbone width that were trained',
  });
}
