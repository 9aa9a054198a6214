import { describe, expect, it } from '@jest/globals';
import { exampleResults, multitaskResults } from '../testing/example-results.js';
import { modelCard } from './model-card.js';
import { resultsCsv } from './results-csv.js';
import { pathsOfRun, runFiles } from './run-files.js';

describe('resultsCsv', () => {
  it('has a line for each method and seed', () => {
    const results = exampleResults();
    const methods = Object.fromEntries(
      Object.entries(results.methods).map(([name, method]) => [`a "${name}", b`, method]),
    );
    expect(resultsCsv({ ...results, methods }).split('\r\n')).toEqual([
      'method,seed,metric,final,best,trainable_parameters,seconds',
      '"a ""frozen"", b",1,accuracy,0.7,0.7,514,12.5',
      '"a ""frozen"", b",2,accuracy,0.72,0.72,514,12.5',
      '"a ""dynamic"", b",1,accuracy,0.84,0.84,20514,12.5',
      '"a ""dynamic"", b",2,accuracy,0.86,0.88,20514,12.5',
      '"a ""single"", b",1,accuracy,0.5,0.5,7,12.5',
      '',
    ]);
  });

  it('has columns for tasks and measures', () => {
    const results = multitaskResults();
    const measures = { 'calibration, error': [0.1, 0.2] };
    const methods = Object.fromEntries(
      Object.entries(results.methods).map(([name, method]) => [name, { ...method, measures }]),
    );
    const [head, first] = resultsCsv({ ...results, methods }).split('\r\n');
    expect(head).toMatch(/seconds,final: mail,final: film,"calibration, error"$/);
    expect(first).toMatch(/,12\.5,0\.81,0\.59,0\.1$/);
  });
});

describe('modelCard', () => {
  const results = exampleResults();
  const card = modelCard(
    { ...results, backbone: 'some/model', metric: 'matthews' },
    { pipeline: 'text-classification', command: 'npm run glue --' },
  );
  const [, head = '', body = ''] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(card) ?? [];

  it('has the metadata that the Hub reads', () => {
    const lines = head.split('\n');
    expect(lines.slice(0, 4)).toEqual([
      'library_name: dynaprompt',
      'base_model: "some/model"',
      'base_model_relation: adapter',
      'pipeline_tag: "text-classification"',
    ]);
    const entry = lines.indexOf('  - name: "dynamic on toy"');
    expect(lines.slice(entry + 1, entry + 12)).toEqual([
      '    results:',
      '      - task:',
      '          type: "text-classification"',
      '        dataset:',
      '          name: "this test"',
      '          type: "toy"',
      '          split: validation',
      '        metrics:',
      '          - type: "matthews_correlation"',
      '            value: 0.85',
      '            name: "validation Matthews correlation, mean of 2 seeds, standard deviation 0.01414"',
    ]);
    expect(head).toContain('one seed"');
  });

  it('says what a reader has to know', () => {
    for (const text of ['revision `abc123`', 'CC0-1.0', 'Seeds**: 1, 2', '85.00 ± 1.41', '"steps": 20'])
      expect(body).toContain(text);
    expect(body).toContain("loadAdapter('adapters/single-seed1', { backbone })");
    expect(body).toContain('npm run glue -- predict adapters/single-seed1');
    // A folder is nothing that the Hub could link.
    expect(modelCard(results)).not.toContain('base_model:');
  });

  it('keeps what comes from outside from becoming metadata or markup', () => {
    const task = 'x"\n---\n<script>';
    const hostile = modelCard({ ...results, task, data: { ...results.data, description: '<img>\n# A' } });
    expect(hostile.match(/^---$/gm)).toHaveLength(2);
    expect(hostile).toContain('\\<img\\> \\# A');
    expect(hostile).toContain(JSON.stringify(task));
  });
});

describe('the files of a run', () => {
  const predictions = ['mail', 'film'].map((task) => ({
    method: 'dynamic',
    seed: 1,
    task,
    metric: 'accuracy' as const,
    examples: [{ id: 'a', label: 0, prediction: 0, probabilities: [1, 0] }],
  }));

  it('are all known by the results alone, but for the card', () => {
    const results = multitaskResults();
    const names = [...runFiles(results, { predictions }).keys()];
    expect(names).toContain('predictions/dynamic-seed1/film.jsonl');
    const known = new Set(pathsOfRun(results));
    expect(names.filter((name) => !known.has(name))).toEqual(['README.md']);
  });

  it('have no names that lead elsewhere', () => {
    const results = exampleResults();
    const [method] = Object.values(results.methods);
    const odd = { ...results, methods: method === undefined ? {} : { '../../x y': method } };
    const folders = [...runFiles(odd, {}).keys()].filter((name) => name.includes('/'));
    expect(folders.map((name) => name.split('/').slice(0, 2).join('/'))).toEqual([
      'tensorboard/.._.._x_y-seed1',
      'tensorboard/.._.._x_y-seed2',
    ]);
  });
});
