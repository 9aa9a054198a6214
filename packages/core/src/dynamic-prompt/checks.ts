import { sizeOf } from '../contracts/tensor.js';
import { ConfigurationError, DataError } from '../errors.js';

/** B, or a {@link ConfigurationError} where it counts nothing. */
export function checkBatch(batch: number): number {
  if (Number.isInteger(batch) && batch > 0) return batch;
  throw misuse('batch', `${batch} is not a number of examples`, 'Plan for at least one example');
}

/** τ, or a {@link ConfigurationError} where it is not positive. */
export function checkTemperature(temperature: number): number {
  if (Number.isFinite(temperature) && temperature > 0) return temperature;
  throw misuse('temperature', `${temperature} is not positive`, 'Take it from temperatureAt');
}

/** The index of a task, or a {@link ConfigurationError} where it is not one of `tasks`. */
export function checkTask(task: number | undefined, tasks: number | undefined): number | undefined {
  if (tasks === undefined) {
    if (task === undefined) return undefined;
    throw misuse('plan options.task', `is ${task}, but there is one task only`, 'Leave it out, or set tasks');
  }
  if (task !== undefined && Number.isInteger(task) && task >= 0 && task < tasks) return task;
  throw misuse(
    'plan options.task',
    `${task ?? 'nothing'} is not one of ${tasks} tasks`,
    `Pass the task of the batch, 0..${tasks - 1}`,
  );
}

/** The values, or a {@link DataError} where they are not of that shape. */
export function checkSize(
  subject: string,
  values: Float32Array | undefined,
  shape: readonly number[],
): Float32Array {
  if (values?.length === sizeOf(shape)) return values;
  throw new DataError({
    packageName: '@dynaprompt/core',
    subject,
    problem: `${values?.length ?? 0} values where [${shape.join(', ')}] are needed`,
    remedy: 'Pass arrays of the batch that was planned',
  });
}

/** An error about an option of the caller's. */
export function misuse(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName: '@dynaprompt/core', subject, problem, remedy });
}
