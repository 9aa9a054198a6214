import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspectModel, type Architecture, type ModelInspection } from '@dynaprompt/backbone';
import { stream } from '@dynaprompt/core';
import { miniBert, miniClip } from '@dynaprompt/mini-models';
import { DataType, Graph } from '@dynaprompt/onnx-autodiff';
import { afterAll, describe, expect, it } from '@jest/globals';
import { writeTimeSeriesModel } from '../guides/time-series-model.js';
import { ADAPTERS } from './adapters.js';
import { runInspectModel } from './command.js';
import { verdictOf } from './describe.js';

const fixtures = fileURLToPath(new URL('../../../packages/onnx-autodiff/fixtures', import.meta.url));
const fixture = (name: string): string => join(fixtures, name, 'model.onnx');
const folder = mkdtempSync(join(tmpdir(), 'dynaprompt-inspect-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the command; `lines` are what it prints, `complaints` what it writes as errors. */
async function run(...words: string[]): Promise<{ code: number; lines: string[]; complaints: string[] }> {
  const [lines, complaints]: [string[], string[]] = [[], []];
  const code = await runInspectModel(words, {
    print: (line) => void lines.push(line),
    complain: (line) => void complaints.push(line),
  });
  return { code, lines, complaints };
}

/** What the exporter made of each fixture: architecture, width of the embeddings, layers. */
const FIXTURES: Readonly<Record<string, readonly [Architecture, number, number]>> = {
  albert: ['text model', 16, 3],
  'bart-encoder': ['text model', 24, 2],
  'bert-11': ['text model', 32, 2],
  'bert-14': ['text model', 32, 2],
  'bert-17': ['text model', 32, 2],
  'bert-opset14': ['text model', 64, 2],
  'bert-optimised': ['text model', 32, 2],
  clip: ['dual encoder', 24, 2],
  'clip-text': ['text model', 24, 2],
  'deberta-v2': ['text model', 24, 2],
  'deberta-v3': ['text model', 24, 2],
  distilbert: ['text model', 32, 2],
  electra: ['text model', 16, 2],
  'flan-t5': ['encoder-decoder', 24, 2],
  gpt2: ['decoder', 32, 2],
  'gpt2-merged': ['decoder', 32, 1],
  llama: ['decoder', 32, 2],
  'mbart-encoder': ['text model', 24, 2],
  mistral: ['text model', 32, 2],
  modernbert: ['text model', 24, 3],
  'modernbert-17': ['text model', 24, 3],
  mpnet: ['text model', 32, 2],
  'mpnet-optimised': ['text model', 32, 2],
  opt: ['text model', 16, 2],
  qwen2: ['text model', 32, 2],
  'qwen3-opset21': ['text model', 32, 2],
  roberta: ['text model', 32, 2],
  siglip: ['dual encoder', 24, 2],
  'siglip-text': ['text model', 24, 2],
  t5: ['encoder-decoder', 24, 2],
  't5-encoder': ['text model', 24, 2],
  't5-opset17': ['text model', 64, 2],
  beit: ['vision model', 24, 2],
  'clip-vision': ['vision model', 24, 2],
  deit: ['vision model', 24, 2],
  dinov2: ['vision model', 24, 2],
  'siglip-vision': ['vision model', 24, 2],
  vit: ['vision model', 24, 2],
};
const OF_A_PAIR = ['bart-decoder', 'bart-decoder-merged', 'mbart-decoder', 't5-decoder', 't5-decoder-merged'];

describe('the fixtures', () => {
  it('are all here', () => {
    const all = readdirSync(fixtures).filter((name) => name !== 'README.md');
    expect([...Object.keys(FIXTURES), ...OF_A_PAIR, 'swin'].sort()).toEqual(all.sort());
  });

  it.each(Object.entries(FIXTURES))('%s can be tuned', (name, [architecture, width, layers]) => {
    const inspection = inspectModel(join(fixtures, name), ADAPTERS);
    const isVision = architecture === 'vision model';
    expect(inspection).toMatchObject({
      architecture,
      entry: { kind: isVision ? 'patches' : 'tokens', input: isVision ? 'pixel_values' : 'input_ids', width },
      attentionLayers: layers,
      withoutGradient: [],
      isTunable: true,
      reasons: [],
    });
    expect(inspection.layers).toHaveLength(layers);
    // Tensors are those of the file, save that a branch of a merged decoder has a prefix.
    const graph = Graph.read(fixture(name));
    const isMerged = name.endsWith('merged');
    if (!isMerged)
      for (const tensor of [inspection.hidden ?? '', inspection.entry?.tensor ?? ''])
        expect(graph.has(tensor)).toBe(true);
    expect(verdictOf(inspection)).toMatch(/^can be tuned: .* layers?( only)?; .*(new-adapter|@dynaprompt)/);
  });

  it.each(OF_A_PAIR)('%s is told to be half of a pair', (name) => {
    const inspection = inspectModel(fixture(name), ADAPTERS);
    expect(inspection).toMatchObject({ architecture: 'decoder of an encoder-decoder', isTunable: false });
    expect(verdictOf(inspection)).toMatch(/^cannot be tuned: .*encoder takes the prompts/);
  });

  it('swin cannot be tuned, and why', () => {
    const inspection = inspectModel(fixture('swin'), ADAPTERS);
    expect(inspection).toMatchObject({ entry: undefined, isTunable: false, adapter: undefined });
    expect(verdictOf(inspection)).toMatch(/^cannot be tuned: .*windows .*; .* 1 × GlobalAveragePool$/);
  });

  it.each([
    ['bert-14', 'bert', '@dynaprompt/text'],
    ['gpt2', 'gpt2', '@dynaprompt/text'],
    ['t5', 't5', '@dynaprompt/text'],
    ['vit', 'vit', '@dynaprompt/vision'],
    ['clip', 'clip', '@dynaprompt/clip'],
    ['bert-14', 'unheard-of', 'new-adapter'],
  ])('%s as %s is taken by %s', (name, family, adapter) => {
    const place = join(folder, family);
    mkdirSync(join(place, 'onnx'), { recursive: true });
    copyFileSync(fixture(name), join(place, 'onnx/model.onnx'));
    writeFileSync(join(place, 'config.json'), JSON.stringify({ model_type: family }));
    const inspection = inspectModel(place, ADAPTERS);
    expect(inspection).toMatchObject({ family, familyFrom: 'config.json', adapter });
    expect(inspectModel(join(place, 'onnx/model.onnx'), ADAPTERS)).toEqual(inspection);
  });
});

describe('the bundled models', () => {
  it('mini-bert: everything there is to say', async () => {
    const { code, lines, complaints } = await run(miniBert);
    expect([code, complaints]).toEqual([0, []]);
    const { vocab_size, hidden_size, intermediate_size, num_hidden_layers, max_position_embeddings } =
      JSON.parse(readFileSync(join(miniBert, 'config.json'), 'utf8')) as Record<string, number>;
    const [V = 0, H = 0, I = 0, L = 0, P = 0] = [
      vocab_size,
      hidden_size,
      intermediate_size,
      num_hidden_layers,
      max_position_embeddings,
    ];
    const layer = 4 * (H * H + H) + 2 * H * I + I + H + 4 * H;
    // Tables and their norm, layers, and the language head, whose product shares the token table.
    const parameters = (V + P + 2) * H + 2 * H + L * layer + (H * H + H) + 2 * H + V;
    const report = lines.join('\n');
    for (const part of [
      'bert, of config.json (text model',
      'input_ids int64 [batch_size, sequence_length]',
      `logits float32 [batch_size, sequence_length, ${V}]`,
      `parameters:                   ${parameters.toLocaleString('en')}`,
      `[B, rows, ${H}], looked up by input_ids among ${V} tokens`,
      `attention layers:             ${L}, inputs:`,
      'operators without a gradient: none',
      `can be tuned: prompts among the rows of input_ids, in any of ${L} layers; @dynaprompt/text takes it`,
    ])
      expect(report).toContain(part);
  });

  it('as JSON', async () => {
    const { code, lines } = await run(miniClip, '--json');
    expect(code).toBe(0);
    const inspection = JSON.parse(lines.join('\n')) as ModelInspection & { verdict: string };
    expect(inspection).toMatchObject({
      family: 'clip',
      architecture: 'dual encoder',
      adapter: '@dynaprompt/clip',
    });
    expect(inspection.inputs.map(({ name }) => name)).toEqual([
      'input_ids',
      'pixel_values',
      'attention_mask',
    ]);
    expect(inspection.verdict).toMatch(/^can be tuned/);
    expect(inspection.dtypes.float32).toBeGreaterThanOrEqual(inspection.parameters);
  });

  it('guesses the family by names where no config.json tells', () => {
    const bare = join(folder, 'bare.onnx');
    copyFileSync(join(miniBert, 'onnx/model.onnx'), bare);
    expect(inspectModel(bare)).toMatchObject({ family: 'bert', familyFrom: 'names', adapter: 'new-adapter' });
  });
});

describe('what stands in the way of prompts', () => {
  /** A fixture that was changed. */
  function changed(name: string, change: (graph: Graph) => void): ModelInspection {
    const graph = Graph.read(new Uint8Array(readFileSync(fixture(name))));
    change(graph);
    const file = join(folder, 'changed.onnx');
    writeFileSync(file, graph.serialize());
    return inspectModel(file);
  }

  it.each([
    [['1', 'length'], /batches of 1 alone/],
    [['batch', '12'], /12 tokens exactly/],
  ])('inputs of fixed extents %j', (extents, reason) => {
    const dims = extents.map((extent) => (Number.isNaN(Number(extent)) ? extent : Number(extent)));
    const inspection = changed('bert-14', (graph) => {
      graph.inputs.set('input_ids', { name: 'input_ids', dataType: DataType.int64, dims });
    });
    expect(inspection.isTunable).toBe(false);
    expect(verdictOf(inspection)).toMatch(reason);
  });

  it('an operator without a gradient on the way', () => {
    const inspection = changed('vit', (graph) => {
      const [node] = graph.consumers('/layer.0/Add_1_output_0');
      if (!node) throw new Error('the fixture has a second layer');
      const [input = '', ...others] = node.inputs;
      graph.add({
        opType: 'Riddle',
        domain: 'com.example',
        inputs: [input],
        outputs: ['answer'],
        attributes: new Map(),
      });
      graph.setInputs(node, ['answer', ...others]);
    });
    expect(inspection.withoutGradient).toEqual([{ operator: 'com.example.Riddle', count: 1 }]);
    expect(verdictOf(inspection)).toBe('cannot be tuned: no gradient passes through 1 × com.example.Riddle');
  });

  it('nothing for a family that no adapter takes', () => {
    const series = join(folder, 'series');
    writeTimeSeriesModel(series, 1);
    expect(inspectModel(series, ADAPTERS)).toMatchObject({
      family: 'pulse',
      architecture: 'sequence model',
      entry: { kind: 'values', input: 'values', width: 16, channels: 2 },
      attentionLayers: 2,
      adapter: 'new-adapter',
    });
    writeTimeSeriesModel(series, 1, { steps: 12 });
    expect(inspectModel(series).entry).toMatchObject({ kind: 'patches', special: 0, hasPositions: true });
  });
});

describe('what is no model', () => {
  const TYPED = /^\w+Error: @dynaprompt\/[\w-]+: .+\.$/;
  const place = join(folder, 'hostile.onnx');
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n';

  it.each([
    ['nothing', ''],
    ['text', 'this is no model'],
    ['a git-lfs pointer', pointer],
  ])('%s: a typed error, exit code 1', async (_, content) => {
    writeFileSync(place, content);
    const { code, lines, complaints } = await run(place);
    expect([code, lines]).toEqual([1, []]);
    expect(complaints).toEqual([expect.stringMatching(TYPED)]);
  });

  it('a path without a file, a folder without a model, a config.json that is none', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const odd = join(folder, 'odd');
    mkdirSync(join(odd, 'config.json'), { recursive: true });
    copyFileSync(fixture('vit'), join(odd, 'model.onnx'));
    for (const location of [join(folder, 'nowhere'), empty, odd]) {
      const { code, complaints } = await run(location);
      expect([code, complaints]).toEqual([1, [expect.stringMatching(TYPED)]]);
    }
    expect((await run()).code).toBe(1);
  });

  it('cut off anywhere: a typed error', async () => {
    const whole = readFileSync(fixture('bert-14'));
    for (let part = 0; part < 24; part++) {
      writeFileSync(place, whole.subarray(0, Math.floor((whole.length * part) / 24)));
      const { code, complaints } = await run(place);
      expect([part, code, complaints]).toEqual([part, 1, [expect.stringMatching(TYPED)]]);
    }
  });

  it('changed anywhere: an answer or a typed error', async () => {
    const whole = readFileSync(fixture('t5-encoder'));
    const random = stream(1, 'hostile bytes');
    let refused = 0;
    for (let round = 0; round < 150; round++) {
      const bytes = Uint8Array.from(whole);
      // Names, operators and shapes stand at the beginning, before the weights.
      for (let edit = 0; edit < 6; edit++)
        bytes[Math.floor(random.uniform() * Math.min(whole.length, 30_000))] = Math.floor(
          random.uniform() * 256,
        );
      writeFileSync(place, bytes);
      const { code, complaints } = await run(place);
      if (code === 0) continue;
      refused++;
      expect([round, complaints]).toEqual([round, [expect.stringMatching(TYPED)]]);
    }
    expect(refused).toBeGreaterThan(10);
  });
});
