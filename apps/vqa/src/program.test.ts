import { readdir, readFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { openMojiAttribution, parseInspections, parseResults, type RunResults } from '@dynaprompt/benchmarks';
import { openVqa, openVqaProbe } from '@dynaprompt/clip';
import { nullThrows, selectBackend } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import { loadAdapter, restorePrompt } from '@dynaprompt/training';

import { Workplace } from './program.test.fixture.js';

let place: Workplace;
let results: RunResults;
let pictures: string;

interface Annotation {
  readonly question_id: number;
  readonly question_type: string;
  readonly answers: readonly { readonly answer: string }[];
}

beforeAll(async () => {
  place = await Workplace.open();
  const words =
    '--task scenes --scenes 200 --steps 40 --batch 8 --slots 3 --learning-rate 0.03 --output out --json';
  const { code, stdout, stderr } = await place.run(`run ${words} --methods linear-probe,dynamic --seeds 1`);
  expect(stderr).not.toContain('unexpected');
  expect(code).toBe(0);
  results = parseResults(JSON.parse(stdout), 'stdout');
  const [folder = ''] = await readdir(place.path('cache', 'scenes'));
  pictures = place.path('cache', 'scenes', folder);
}, 240_000);

afterAll(() => place.remove());

/** Lines of `predictions/METHOD-seed1.jsonl` with the annotations of their questions. */
async function scored(
  method: string,
): Promise<readonly { readonly said: string; readonly asked: Annotation }[]> {
  const file: unknown = JSON.parse(await readFile(`${pictures}/scenes_test_annotations.json`, 'utf8'));
  const { annotations } = file as { readonly annotations: readonly Annotation[] };
  const text = await readFile(place.path('out', 'predictions', `${method}-seed1.jsonl`), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { id, prediction } = JSON.parse(line) as { readonly id: string; readonly prediction: number };
      const asked = annotations.find(({ question_id: number }) => id.endsWith(`/${number}`));
      return { said: results.data.labels[prediction] ?? '', asked: nullThrows(asked, id) };
    });
}

/** The definition itself: mean of min(n / 3, 1) over all ways to leave one of the people out. */
function accuracyOf(said: string, { answers }: Annotation): number {
  const agreed = answers.map((_, left) => {
    const others = answers.filter((_, index) => index !== left);
    return Math.min(others.filter(({ answer }) => answer === said).length / 3, 1);
  });
  return agreed.reduce((sum, value) => sum + value, 0) / agreed.length;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('run', () => {
  it('scores as the definition says, by type of question too', async () => {
    expect(results).toMatchObject({
      app: 'vqa',
      task: 'scenes',
      backbone: 'mini-clip',
      metric: 'vqa-accuracy',
    });
    expect(results.data).toMatchObject({ train: 200, validation: 50, attribution: openMojiAttribution });
    for (const [name, { final, measures = {} }] of Object.entries(results.methods)) {
      const all = await scored(name);
      expect(final[0]).toBeCloseTo(mean(all.map(({ said, asked }) => accuracyOf(said, asked))), 9);
      const types = new Set(all.map(({ asked }) => asked.question_type));
      expect(types.size).toBeGreaterThan(5);
      for (const type of types) {
        const own = all.filter(({ asked }) => asked.question_type === type);
        const [value = NaN] = measures[`question: ${type} (${own.length})`] ?? [];
        expect(value).toBeCloseTo(mean(own.map(({ said, asked }) => accuracyOf(said, asked))), 9);
      }
    }
  });

  it('learns: the loss falls, and the head beats the most frequent answer', () => {
    const { dynamic, 'linear-probe': probe } = results.methods;
    for (const method of [dynamic, probe]) {
      const loss = method?.curves[0]?.loss.map(({ value }) => value) ?? [];
      expect(mean(loss.slice(-5))).toBeLessThan(0.8 * mean(loss.slice(0, 5)));
    }
    expect(probe?.mean).toBeGreaterThan(results.majority.score);
    const guess = results.baselines?.['most frequent answer (yes)'];
    expect(guess?.score).toBe(results.majority.score);
    expect(Object.keys(guess?.measures ?? {})).toContain('answer: yes/no (8)');
  });

  it('shows pictures, questions and prompts in the report', async () => {
    const file = place.path('out', 'inspections.json');
    const inspections = parseInspections(JSON.parse(await readFile(file, 'utf8')), file);
    expect(inspections.length).toBeGreaterThan(5);
    for (const { input, sequence, beside, prompt } of inspections) {
      expect(input).toMatchObject({ kind: 'picture', rows: 8, columns: 8 });
      expect(input.kind === 'picture' && input.question?.endsWith('?')).toBe(true);
      expect(beside).toEqual(['[CLS]', { patches: [0, 64] }]);
      expect(sequence.filter((part) => typeof part === 'object')).toHaveLength(prompt?.length ?? NaN);
      expect([sequence[0], sequence.at(-1)]).toEqual(['[CLS]', '[SEP]']);
    }
    const report = await readFile(place.path('out', 'report.html'), 'utf8');
    for (const part of [
      '<image href="data:image/png;base64,',
      'VQA accuracy',
      'CC BY-SA 4.0',
      '</blockquote>',
    ])
      expect(report).toContain(part);
  });
});

describe('predict and inspect', () => {
  const asked = 'what is this?';

  it.each(['linear-probe', 'dynamic'])('give the answers of the libraries, %s', async (method) => {
    await selectBackend();
    const adapter = await loadAdapter(place.path('out', 'adapters', `${method}-seed1`));
    const { labels: answers } = adapter.head;
    const head = { kind: 'classification', answers } as const;
    const prompt = adapter.configuration && (await restorePrompt(adapter));
    const backbone = await (prompt
      ? openVqa(miniClip, { head, reserve: 3 })
      : openVqaProbe(miniClip, { answers }));
    const names = (await readdir(`${pictures}/test`)).slice(0, 3);
    const paths = names.map((name) => `${pictures}/test/${name}`);
    const input = paths.map((path) => `${path}\t${asked}\n`).join('');
    const folder = `out/adapters/${method}-seed1`;
    const predicted = await place.warm(`predict ${folder} --json --top 100 --batch 2`, { input });
    expect(predicted).toMatchObject({ code: 0, stderr: '' });
    const inspected = await place.run(`inspect ${folder} --json`, { input });
    const [predictions = [], inspections = []] = [predicted, inspected].map(({ stdout }) =>
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
    );
    for (const [index, path] of paths.entries()) {
      const example = { id: path, question: asked, image: { kind: 'file', path } } as const;
      const planned = prompt?.plan(await backbone.features([example]), 1, { training: false });
      const logits = await backbone.predict([example], planned?.plan, adapter.parameters.head);
      const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
      const given = predictions[index] as {
        readonly label: string;
        readonly probabilities: Record<string, number>;
      };
      expect(Object.keys(given.probabilities)).toHaveLength(answers.length);
      logits.forEach((logit, label) => {
        expect(given.probabilities[answers[label] ?? '']).toBeCloseTo(Math.exp(logit) / sum, 5);
      });
      expect(given.label).toBe(answers[logits.indexOf(Math.max(...logits))]);
      const shown = inspections[index];
      expect(shown).toMatchObject({ picture: path, question: asked, label: given.label });
      if (planned === undefined) expect(shown?.prompt).toBeNull();
      else {
        const [choice = NaN, length = NaN] = [planned.choices.position[0], planned.choices.length[0]];
        expect(shown?.prompt).toMatchObject({ length, position: { choice } });
        const front = Math.min(choice, length);
        const tokens = (first: number, count: number): { prompt: number }[] =>
          Array.from({ length: count }, (_, at) => ({ prompt: first + at }));
        const words = ['what', 'is', 'this', '?'];
        expect(shown?.sequences).toEqual([
          ['[CLS]', ...tokens(1, front), ...words, ...tokens(front + 1, length - front), '[SEP]'],
          ['[CLS]', { patches: [0, 64] }],
        ]);
      }
    }
    await backbone.release();
  });

  it('answer bad lines in their place, or stop at them', async () => {
    const [name = ''] = await readdir(`${pictures}/test`);
    const good = `${pictures}/test/${name}`;
    const input = `${good}\t${asked}\nnothing.png\t${asked}\n${good}\n`;
    const stopped = await place.run('predict out/adapters/dynamic-seed1', { input });
    expect(stopped.code).toBe(1);
    expect(stopped.stdout).toMatch(/^[^\t]+\t[01]\.\d{4}\t.*\.png\twhat is this\?\n$/);
    expect(stopped.stderr.trimEnd().split('\n')).toHaveLength(1);
    const skipped = await place.warm('predict out/adapters/dynamic-seed1 --on-bad-sample skip', { input });
    expect(skipped.stdout.split('\n').map((line) => line !== '')).toEqual([true, false, false, false]);
    expect(skipped.stderr).toMatch(/bad questions: 2 \(nothing\.png: .*no question follows a TAB\)\n$/);
    const alone = await place.run(
      `predict out/adapters/dynamic-seed1 --picture ${good} --question ${asked.replaceAll(' ', '%20')}`,
    );
    expect(alone.stdout).toBe(stopped.stdout);
  });

  it.each([
    ['predict out/adapters/dynamic-seed1 --picture a.png', 'one is given without the other'],
    ['predict out/adapters --picture a.png --question why', 'only the folders'],
    ['run --task clevr --output never', 'folder'],
    ['run --task scenes --use image --prompts text --scenes 12 --output never', "Use prompts 'vision'"],
  ])('say in one line what is wrong: %s', async (words, part) => {
    const { code, stdout, stderr } = await place.warm(words);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(part);
    expect(stderr).not.toContain('unexpected error');
  });
});

describe('run --resume', () => {
  it('goes on after it was killed, to the same bits', async () => {
    const words = (output: string): string =>
      'run --task scenes --scenes 24 --methods dynamic --seeds 1 --steps 20 --batch 4 --slots 2 --prompts vision ' +
      `--evaluate-every 20 --checkpoint-every 2 --output ${output}`;
    const adapterOf = (output: string): Promise<Buffer> =>
      readFile(place.path(output, 'adapters', 'dynamic-seed1', 'dynamic_prompt.safetensors'));
    expect((await place.warm(words('straight'))).code).toBe(0);
    const cut = await place.run(words('cut'), { killAt: /step ([4-9]|1\d)\/20/ });
    expect(cut.code).toBeNull();
    const resumed = await place.run(`${words('cut')} --resume`);
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(resumed.stdout).toContain('goes on after step');
    expect((await adapterOf('cut')).equals(await adapterOf('straight'))).toBe(true);
  }, 240_000);
});
