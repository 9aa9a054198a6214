import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkCase, GRADIENT_TOLERANCE, LOSS_TOLERANCE, relativeError, type GradientCheck } from './check.js';
import { runGradcheck } from './command.js';

const fixtures = fileURLToPath(new URL('../../../packages/onnx-autodiff/fixtures/', import.meta.url));
const cases = ['bert-opset14', 't5-opset17'].map((name) => join(fixtures, name));
const [bert = ''] = cases;

async function gradcheck(...commandLine: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runGradcheck(commandLine, {
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
  });
  return { code, out, err };
}

describe('reference cases', () => {
  it.each(cases)('%s agrees with autograd', async (folder) => {
    const check = await checkCase(folder);
    expect(check.passed).toBe(true);
    expect(check.lossError).toBeLessThan(LOSS_TOLERANCE);
    expect(check.logitsError).toBeLessThan(1e-5);
    expect(check.gradientError).toBeLessThan(GRADIENT_TOLERANCE);
  });

  it('are printed line by line or as JSON', async () => {
    const { code, out, err } = await gradcheck(...cases);
    expect([code, err]).toEqual([0, []]);
    expect(out).toHaveLength(3);
    expect(out[0]).toMatch(/^ok {3}.*bert-opset14\n.*loss \d.*gradient relative L2 /);
    expect(out[2]).toBe('2 within tolerance, 0 outside');
    const json = await gradcheck(bert, '--json');
    expect(JSON.parse(json.out.join('\n'))).toMatchObject({ case: bert, passed: true });
    const both = JSON.parse((await gradcheck('--json', ...cases)).out.join('\n')) as GradientCheck[];
    expect(both.map((check) => check.passed)).toEqual([true, true]);
  });
});

describe('bad input', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gradcheck-'));
    cpSync(bert, folder, { recursive: true });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Expects exit code 1 and one line that names a file. */
  async function expectRefusal(file: string, message: string): Promise<void> {
    const { code, out, err } = await gradcheck(folder);
    expect([code, out]).toEqual([1, []]);
    expect(err).toHaveLength(1);
    expect(err[0]).toContain(join(folder, file));
    expect(err[0]).toContain(message);
    expect(err[0]).not.toContain('\n');
  }

  it('fails for a gradient that differs', async () => {
    const file = join(folder, 'case.safetensors');
    const bytes = readFileSync(file);
    const headerLength = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, 8 + headerLength).toString()) as Record<
      string,
      { data_offsets: [number, number] }
    >;
    const [start = 0] = header.prompt_gradient?.data_offsets ?? [];
    bytes.writeFloatLE(1, 8 + headerLength + start);
    writeFileSync(file, bytes);
    const { code, out, err } = await gradcheck(folder, bert);
    expect([code, err]).toEqual([1, []]);
    expect(out[0]).toMatch(/^FAIL /);
    expect(out[2]).toBe('1 within tolerance, 1 outside');
  });

  it('names a missing folder or file', async () => {
    rmSync(join(folder, 'case.safetensors'));
    await expectRefusal('case.safetensors', 'not found');
    rmSync(join(folder, 'model.onnx'));
    await expectRefusal('model.onnx', 'not found');
    const { code, err } = await gradcheck('/no/such/folder');
    expect([code, err.length]).toEqual([1, 1]);
  });

  it('names a truncated model, a git-lfs pointer and a model that is none', async () => {
    const file = join(folder, 'model.onnx');
    truncateSync(file, 100_000);
    await expectRefusal('model.onnx', 'truncated');
    writeFileSync(file, 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n');
    await expectRefusal('model.onnx', 'git-lfs');
    writeFileSync(file, 'not a model');
    await expectRefusal('model.onnx', 'no ONNX model');
  });

  it('names a truncated or malformed reference', async () => {
    const file = join(folder, 'case.safetensors');
    truncateSync(file, readFileSync(file).length - 4);
    await expectRefusal('case.safetensors', 'truncated within tensor');
    truncateSync(file, 40);
    await expectRefusal('case.safetensors', 'truncated in its header');
    truncateSync(file, 4);
    await expectRefusal('case.safetensors', 'too short');
    const text = Buffer.from('12345678 no JSON at all');
    text.writeBigUInt64LE(15n);
    writeFileSync(file, text);
    await expectRefusal('case.safetensors', 'no JSON');
  });

  it('explains the command line', async () => {
    const { code, err } = await gradcheck();
    expect(code).toBe(1);
    expect(err.join()).toContain("missing required argument 'folders'");
    const help = await gradcheck('--help');
    expect(help.code).toBe(0);
    expect(help.out.join()).toContain('case folders');
  });
});

it('measures relative L2 errors', () => {
  expect(relativeError(Float32Array.of(3, 5), Float32Array.of(3, 4))).toBeCloseTo(0.2, 6);
  expect(relativeError(Float32Array.of(3), Float32Array.of(3, 4))).toBeNaN();
});
