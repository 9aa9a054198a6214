import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { listSupportedBackends } from 'onnxruntime-node';
import { differentiate } from '../differentiate.js';
import { InvalidInputError, ProviderUnavailableError, RuntimeFailureError } from '../errors.js';
import { buildGraph, floatInput } from '../testing/models.js';
import {
  availableExecutionProviders,
  EXECUTION_PROVIDERS,
  FALLBACK_CODE,
  openOnProvider,
  probeProvider,
  type ExecutionProvider,
  type ProviderOptions,
  type ProviderStatus,
} from './execution-providers.js';
import { openSession } from './session.js';
import { float32, floatsOf } from './tensor-value.js';

afterEach(() => {
  jest.restoreAllMocks();
});

const graph = buildGraph((emit) => {
  emit.output('y', emit.neg(floatInput(emit, 'x', 'n')));
});
const x = float32(Float32Array.of(1, -2, 3), [3]);
const built = new Set(listSupportedBackends().map(({ name }) => name));
/** A provider that no build for this platform holds. */
const foreign: ExecutionProvider = process.platform === 'darwin' ? 'dml' : 'coreml';

describe('the execution providers of this machine', () => {
  it('are all reported, with a reason where one does not work', async () => {
    const statuses = await availableExecutionProviders();
    expect(Object.keys(statuses)).toEqual([...EXECUTION_PROVIDERS]);
    expect(statuses.cpu).toEqual({ available: true });
    for (const [name, status] of Object.entries(statuses)) {
      if (!status.available) expect(status.reason).toMatch(/^\S[^\n]*[^\s.]$/);
      if (!built.has(name))
        expect(status).toMatchObject({ reason: expect.stringContaining(process.platform) });
    }
  });

  it.each(EXECUTION_PROVIDERS)('compute on %s, or say why it is the cpu', async (provider) => {
    const status = await probeProvider(provider);
    const warn = jest.fn<(message: string) => void>();
    const silent = jest.spyOn(console, 'warn').mockReturnValue(undefined);
    const session = await openSession(graph, { executionProviders: [provider], warn });
    const { y } = await session.run({ x });
    await session.release();
    expect([...floatsOf(y)]).toEqual([-1, 2, -3]);
    expect(silent).not.toHaveBeenCalled();
    expect(session.provider).toBe(status.available ? provider : 'cpu');
    const expected = status.available
      ? []
      : [`test model, execution provider ${provider}: ${status.reason}. Install`];
    expect(warn.mock.calls.map(([message]) => message)).toEqual(
      expected.map((part) => expect.stringContaining(part)),
    );
  });

  it('are probed once', () => {
    expect(probeProvider('webgpu')).toBe(probeProvider('webgpu'));
  });

  it('are the cpu alone by default, without a word', async () => {
    const emit = jest.spyOn(process, 'emitWarning');
    const session = await openSession(graph);
    await session.release();
    expect(session.provider).toBe('cpu');
    expect(emit).not.toHaveBeenCalled();
  });

  it('fall back by a warning of the process, which has a code', async () => {
    const emit = jest.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    const session = await openSession(graph, { executionProviders: [foreign] });
    await session.release();
    expect(emit).toHaveBeenCalledTimes(1);
    expect(emit).toHaveBeenCalledWith(expect.stringContaining('cpu is tried instead'), {
      code: FALLBACK_CODE,
    });
  });

  it('are an error instead of a fallback on request', async () => {
    const opening = openSession(graph, { executionProviders: [foreign, 'cpu'], providerFallback: 'error' });
    await expect(opening).rejects.toThrow(ProviderUnavailableError);
    await expect(opening).rejects.toThrow(`execution provider ${foreign}: this build of onnxruntime`);
  });

  it('are told by a session with gradients and one in a process of its own', async () => {
    const warn = jest.fn<(message: string) => void>();
    const options = { executionProviders: [foreign], warn };
    const gradient = await differentiate(graph.serialize(), {
      ...options,
      withRespectTo: ['x'],
      objective: { kind: 'vector-jacobian', output: 'y' },
    });
    const isolated = await openSession(graph, { ...options, isolated: true });
    const { y } = await isolated.run({ x });
    await Promise.all([gradient.release(), isolated.release()]);
    expect([gradient.provider, isolated.provider]).toEqual(['cpu', 'cpu']);
    expect([...floatsOf(y)]).toEqual([-1, 2, -3]);
    // The runs that find shapes are on the CPU and warn of nothing.
    expect(warn).toHaveBeenCalledTimes(2);
  });

  it.each<[string, readonly string[]]>([
    ['unknown', ['cuda', 'tpu']],
    ['missing', []],
  ])('are refused where a name is %s', async (_name, names) => {
    const executionProviders = names as readonly ExecutionProvider[];
    await expect(openSession(graph, { executionProviders })).rejects.toThrow(InvalidInputError);
    await expect(openSession(graph, { executionProviders })).rejects.toThrow(
      'cpu, cuda, webgpu, dml, coreml',
    );
  });
});

describe('the choice among providers', () => {
  const refusal = new RuntimeFailureError({ subject: 'm', problem: 'no kernel for Foo', remedy: 'None' });

  interface Outcome {
    readonly provider: string;
    readonly opened: readonly string[];
    readonly warnings: readonly string[];
  }
  /** Chooses among made-up providers, of which `missing` are not there and `failing` do not load the model. */
  async function choose(
    executionProviders: readonly ExecutionProvider[],
    { missing = [], failing = [] }: { missing?: readonly string[]; failing?: readonly string[] },
    options: ProviderOptions = {},
  ): Promise<Outcome> {
    const opened: string[] = [];
    const warnings: string[] = [];
    const { provider } = await openOnProvider(
      'model.onnx',
      { executionProviders, warn: (message) => warnings.push(message), ...options },
      (name) => {
        opened.push(name);
        return failing.includes(name) ? Promise.reject(refusal) : Promise.resolve(name);
      },
      (name): Promise<ProviderStatus> =>
        Promise.resolve(
          missing.includes(name) ? { available: false, reason: `no ${name} here` } : { available: true },
        ),
    );
    return { provider, opened, warnings };
  }

  it('takes the first that works', async () => {
    expect(await choose(['cuda', 'webgpu'], {})).toEqual({
      provider: 'cuda',
      opened: ['cuda'],
      warnings: [],
    });
  });

  it('goes on in order, and says why each time', async () => {
    const outcome = await choose(['cuda', 'dml', 'webgpu'], { missing: ['cuda'], failing: ['dml'] });
    expect(outcome.provider).toBe('webgpu');
    expect(outcome.opened).toEqual(['dml', 'webgpu']);
    expect(outcome.warnings).toEqual([
      expect.stringMatching(/model\.onnx, execution provider cuda: no cuda here\..* dml is tried instead\.$/),
      expect.stringMatching(/execution provider dml: no kernel for Foo\..* webgpu is tried instead\.$/),
    ]);
  });

  it('ends with the cpu, named or not', async () => {
    for (const names of [['cuda'], ['cuda', 'cpu'], ['cuda', 'cpu', 'webgpu']] as const) {
      const outcome = await choose(names, { missing: ['cuda'] });
      expect(outcome.provider).toBe('cpu');
      expect(outcome.warnings).toEqual([expect.stringContaining('cpu is tried instead')]);
    }
  });

  it('passes on what the cpu says, and what no other provider would mend', async () => {
    await expect(choose(['cuda'], { failing: ['cuda', 'cpu'] })).rejects.toBe(refusal);
    const typo = new InvalidInputError({ subject: 'o', problem: 'p', remedy: 'r' });
    const opening = openOnProvider(
      'm',
      { executionProviders: ['cuda'] },
      () => Promise.reject(typo),
      () => Promise.resolve({ available: true }),
    );
    await expect(opening).rejects.toBe(typo);
  });

  it('is an error with its cause where falling back is not wanted', async () => {
    const failure: unknown = await choose(
      ['cuda', 'webgpu'],
      { failing: ['cuda'] },
      { providerFallback: 'error' },
    ).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProviderUnavailableError);
    expect((failure as Error).cause).toBe(refusal);
  });
});
