import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Graph } from '@dynaprompt/onnx-autodiff';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { runQuantise } from './command.js';

const fixture = fileURLToPath(
  new URL('../../../packages/onnx-autodiff/fixtures/bert-opset14/', import.meta.url),
);
const model = join(fixture, 'model.onnx');
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quantise-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function run(...commandLine: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runQuantise(commandLine, {
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
  });
  return { code, out, err };
}

it.each([
  ['fp16', 'Cast'],
  ['q8', 'MatMulInteger'],
  ['q4', 'MatMulNBits'],
  ['q4f16', 'MatMulNBits'],
  ['bnb4', 'MatMulBnb4'],
])('writes %s', async (form, operator) => {
  const file = join(folder, 'out.onnx');
  const { code, out, err } = await run(model, file, '--form', form, '--block-size', '16');
  expect([code, err]).toEqual([0, []]);
  expect(out[0]).toContain(`${file}: ${form}, `);
  expect([...Graph.read(file).nodes].map(({ opType }) => opType)).toContain(operator);
});

it('writes static pairs with ranges from a case', async () => {
  const file = join(folder, 'out.onnx');
  const calibrate = join(fixture, 'case.safetensors');
  expect((await run(model, file, '--form', 'qdq', '--calibrate', calibrate)).code).toBe(0);
  expect([...Graph.read(file).nodes].map(({ opType }) => opType)).toContain('QuantizeLinear');
});

it('writes the same float32 model with rounded weights', async () => {
  const file = join(folder, 'out.onnx');
  expect((await run(model, file, '--form', 'q4', '--dequantised')).code).toBe(0);
  const operators = (path: string): string[] =>
    [...Graph.read(path).nodes].map(({ opType }) => opType).sort();
  expect(operators(file)).toEqual(operators(model));
  expect(readFileSync(file)).not.toEqual(readFileSync(model));
});

it.each([
  [['--form', 'q3'], "argument 'q3' is invalid"],
  [['--form', 'q4', '--block-size', '7'], 'Give 16, 32, 64, 128 or 256'],
  [['--form', 'qdq'], 'give --calibrate'],
  [[], "'--form <form>' not specified"],
])('refuses %p on one line', async (flags, message) => {
  const { code, out, err } = await run(model, join(folder, 'out.onnx'), ...flags);
  expect([code, out]).toEqual([1, []]);
  expect(err.join('\n')).toContain(message);
  expect(err).toHaveLength(1);
});

it('refuses a model that is quantised already', async () => {
  const file = join(folder, 'q8.onnx');
  await run(model, file, '--form', 'q8');
  const { code, err } = await run(file, join(folder, 'out.onnx'), '--form', 'q4');
  expect(code).toBe(1);
  expect(err[0]).toContain('no float32 weights');
});

it('names a model that is missing', async () => {
  const { code, err } = await run(join(folder, 'none.onnx'), join(folder, 'out.onnx'), '--form', 'q8');
  expect(code).toBe(1);
  expect(err[0]).toContain('none.onnx');
});
