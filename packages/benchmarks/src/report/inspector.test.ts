import { describe, expect, it } from '@jest/globals';
import { inspectedPicture, inspectedText } from '../testing/example-inspections.js';
import { inspector, inspectorStyles } from './inspector.js';
import { patchGrid, promptRuns } from './patch-grid.js';

describe('inspector', () => {
  const page = inspector([inspectedText(), inspectedPicture()]).text;

  it('is a group of radio buttons with a label and a panel for each example, the first one chosen', () => {
    const ids = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, id]) => id);
    expect(ids(/<input type="radio" name="inspected"[^>]* id="choice-(\d)"/g)).toEqual(['0', '1']);
    expect(ids(/<label for="choice-(\d)"/g)).toEqual(['0', '1']);
    expect(ids(/<article id="panel-(\d)"/g)).toEqual(['0', '1']);
    expect(page.match(/ checked>/g)).toHaveLength(1);
    expect(inspectorStyles(2)).toContain('#choice-1:checked~.panels #panel-1{display:block}');
    expect(inspector([]).text).toBe('');
  });

  it('draws the prompt among the tokens, escaped', () => {
    const [tokens = ''] = /<ol class="tokens">.*?<\/ol>/.exec(page) ?? [];
    const shown = [...tokens.matchAll(/<li class="token( prompt)?">(.*?)<\/li>/g)];
    expect(shown.map(([, isPrompt, text = '']) => (isPrompt === undefined ? text : `(${text})`))).toEqual([
      '[CLS]',
      '(p1)',
      '(p2)',
      'a',
      '&#60;b&#62;',
      'fine',
      'film',
      '[SEP]',
    ]);
    expect(page).not.toContain('<b>');
  });

  it('shows a question above its picture, and both towers, the prompt drawn where it stands', () => {
    const picture = inspectedPicture();
    const input = { ...picture.input, question: 'What is <this>?' } as typeof picture.input;
    const words = ['[CLS]', 'what', { prompt: 1 }, '[SEP]'];
    const inTexts = inspector([
      { ...picture, input, sequence: words, beside: ['[CLS]', { patches: [0, 6] }] },
    ]).text;
    expect(inTexts).toContain('<blockquote>What is &#60;this&#62;?</blockquote><svg class="patch-grid"');
    expect(inTexts.match(/<ol class="tokens">/g)).toHaveLength(2);
    expect(inTexts).toContain('2 × 3 patches: no prompt');
    const inBoth = inspector([{ ...picture, input, sequence: words, beside: picture.sequence }]).text;
    expect(inBoth).toContain('2 × 3 patches: p1 after 4 patches, p2 after 6 patches');
  });

  it('says position, length, weights and answer', () => {
    expect(page).toContain('2 of 0…3: 2 in front of the input, 0 behind it');
    expect(page).toContain('2 of 3 slots');
    expect(page.match(/<i class="on">/g)).toHaveLength(2 * 2);
    expect(page).toMatch(/entry 1<\/th><td class="track"><span style="width:87.5%">/);
    expect(page).toContain('said <strong>no</strong>, right is <strong>yes</strong>');
  });

  it('shows the likeliest of many classes, the right one among them', () => {
    const share = (index: number): number => (index === 30 ? 0.5 : 0.5 / 39);
    const probabilities = Array.from({ length: 40 }, (_, index) => [`class ${index}`, share(index)] as const);
    const shown = (label: string): string[] => {
      const { text } = inspector([
        { ...inspectedText(), label, prompt: null, probabilities: [...probabilities] as never },
      ]);
      expect(text).toContain(`25 other classes together: ${(25 * (0.5 / 39)).toFixed(3)}`);
      return [...text.matchAll(/<th scope="row">class (\d+)<\/th>/g)].map(([, number = '']) => number);
    };
    const first = ['30', ...Array.from({ length: 13 }, (_, index) => `${index}`)];
    expect(shown('class 30')).toEqual([...first, '13']);
    expect(shown('class 39')).toEqual([...first, '39']);
  });

  it('says where there is no prompt, and nothing of right or wrong for a number', () => {
    const bare = { ...inspectedText(), prompt: null, isRight: null, probabilities: null };
    const text = inspector([bare]).text;
    expect(text).toContain('None: the method trains no prompt.');
    expect(text).not.toMatch(/✓|✗|Probabilities/);
  });
});

describe('patchGrid', () => {
  const { sequence } = inspectedPicture();

  it('finds the runs of prompt tokens between the patches', () => {
    expect(promptRuns(sequence)).toEqual([
      { before: 4, first: 1, last: 1 },
      { before: 6, first: 2, last: 2 },
    ]);
    expect(promptRuns([{ prompt: 1 }, { prompt: 2 }, { patches: [0, 6] }, { prompt: 3 }])).toEqual([
      { before: 0, first: 1, last: 2 },
      { before: 6, first: 3, last: 3 },
    ]);
  });

  it('marks the edges where they stand', () => {
    const grid = patchGrid('a.png', { kind: 'picture', rows: 2, columns: 3, thumbnail: null }, sequence).text;
    // 420 / 3 = 140 a patch, 22 around: the fifth patch is the second of the second row; the last one ends at 22 + 420.
    const edges = [
      ...grid.matchAll(/class="prompt-edge" x1="([\d.]+)" x2="[\d.]+" y1="([\d.]+)" y2="([\d.]+)"/g),
    ];
    expect(edges.map(([, ...numbers]) => numbers.map(Number))).toEqual([
      [162, 162, 302],
      [442, 162, 302],
    ]);
    expect(grid).toContain('a.png in 2 × 3 patches: p1 after 4 patches, p2 after 6 patches');
    expect(grid.match(/class="patch-edge"/g)).toHaveLength(3 + 4);
    expect(grid).not.toContain('<image');
  });
});
