import type { InspectedPart, Inspection } from '../results/inspections.js';
import { markup, type Markup } from './markup.js';
import { patchGrid } from './patch-grid.js';

/** Most characters of an example's name in the list. */
const MOST_NAME = 42;
/** Most classes whose probabilities are shown. */
const MOST_CLASSES = 15;

/**
 * Single examples with the prompt where it stands. A group of radio buttons chooses one, so that the keyboard's arrows go through
 * the examples without a script; without styles all examples stand below each other.
 */
export function inspector(inspections: readonly Inspection[]): Markup {
  if (inspections.length === 0) return markup``;
  return markup`<p class="note">Validation examples after the last step, as the model reads them. <span class="token prompt">p1</span> is a prompt token
that stands where the method put it; slots beyond the chosen length are attended by nobody. Tab into the list, then the arrow keys
go from example to example.</p>
<fieldset class="inspector"><legend class="visually-hidden">Examples</legend>
${inspections.map(
  (_, index) =>
    markup`<input type="radio" name="inspected" class="visually-hidden" id="choice-${index}" aria-controls="panel-${index}"${index === 0 ? markup` checked` : ''}>`,
)}
<div class="choices">${inspections.map((each, index) => choice(each, index))}</div>
<div class="panels" aria-live="polite">${inspections.map((each, index) => panel(each, index))}</div>
</fieldset>`;
}

/** Rules that show the panel of the chosen example alone, and mark its label. */
export function inspectorStyles(count: number): string {
  return Array.from(
    { length: count },
    (_, index) =>
      `#choice-${index}:checked~.panels #panel-${index}{display:block}#choice-${index}:checked~.choices [for=choice-${index}]{border-color:var(--accent);background:var(--page)}#choice-${index}:focus-visible~.choices [for=choice-${index}]{outline:3px solid var(--focus);outline-offset:1px}`,
  ).join('\n');
}

function choice(inspection: Inspection, index: number): Markup {
  const { method, seed, input, id, isRight } = inspection;
  const name = input.kind === 'text' ? input.text : (input.question ?? id);
  return markup`<label for="choice-${index}">${verdict(isRight, true)}<span><span class="choice-name">${shortened(name)}</span><span class="choice-run">${method}, seed ${seed}</span></span></label>`;
}

function panel(inspection: Inspection, index: number): Markup {
  const {
    method,
    seed,
    task,
    id,
    label,
    prediction,
    isRight,
    probabilities,
    input,
    prompt,
    sequence,
    beside = [],
  } = inspection;
  const of = task === undefined ? `${method}, seed ${seed}` : `${method}, seed ${seed}, ${task}`;
  return markup`<article id="panel-${index}" class="panel" aria-label="Example ${id}">
<h3>${id}</h3>
<p class="note">${of}</p>
<p>${verdict(isRight, false)} said <strong>${prediction}</strong>, right is <strong>${label}</strong></p>
${input.kind === 'text' ? quoted(input.text) : markup`${input.question === undefined ? '' : quoted(input.question)}${patchGrid(id, input, [sequence, beside].find(hasPatches) ?? [])}`}
<h4>What the model reads</h4>
${[sequence, beside].filter(({ length }) => length > 0).map((parts) => markup`<ol class="tokens">${parts.map(token)}</ol>`)}
<div class="facts">${prompt === null ? markup`<section><h4>Prompt</h4><p>None: the method trains no prompt.</p></section>` : promptFacts(prompt)}
${probabilities === null ? '' : answers(probabilities, label)}</div>
</article>`;
}

function quoted(text: string): Markup {
  return markup`<blockquote>${text}</blockquote>`;
}

function hasPatches(parts: readonly InspectedPart[]): boolean {
  return parts.some((part) => typeof part === 'object' && 'patches' in part);
}

/** Nothing for a number, which is near the right one or far from it. */
function verdict(isRight: boolean | null, isShort: boolean): Markup {
  if (isRight === null) return markup``;
  const [style, sign, word] = isRight ? ['right-answer', '✓', 'right'] : ['wrong-answer', '✗', 'wrong'];
  return markup`<span class="mark ${style}">${sign}<span${isShort ? markup` class="visually-hidden"` : ''}> ${word}</span></span>`;
}

function token(part: InspectedPart): Markup {
  if (typeof part === 'string') return markup`<li class="token">${part === '' ? '␣' : part}</li>`;
  if ('prompt' in part) return markup`<li class="token prompt">p${part.prompt}</li>`;
  const [first, count] = part.patches;
  return markup`<li class="token patches">${count === 1 ? `patch ${first + 1}` : `patches ${first + 1}–${first + count}`}</li>`;
}

function promptFacts({
  slots,
  length,
  layers,
  position,
  weights,
}: NonNullable<Inspection['prompt']>): Markup {
  const { mode, choice: chosen, candidates } = position;
  const front = Math.min(chosen, length);
  const place =
    mode === 'split'
      ? `${chosen} of 0…${candidates - 1}: ${front} in front of the input, ${length - front} behind it`
      : `anchor ${chosen} of 0…${candidates - 1}`;
  const shown = slots <= 64;
  return markup`<section><h4>Position</h4><p>${place}</p>
<h4>Length</h4><p>${length} of ${slots} slots${layers > 1 ? `, others in each of ${layers} layers` : ''}</p>
${
  shown
    ? markup`<div class="slots" aria-hidden="true">${Array.from({ length: slots }, (_, slot) => (slot < length ? markup`<i class="on"></i>` : markup`<i></i>`))}</div>`
    : ''
}</section>
${
  weights === null
    ? ''
    : bars(
        'Pool weights',
        weights.map((weight, entry) => [`entry ${entry}`, weight] as const),
      )
}`;
}

/** Probabilities in label order; of many classes the likeliest, by share, with the right one among them. */
function answers(probabilities: NonNullable<Inspection['probabilities']>, label: string): Markup {
  if (probabilities.length <= MOST_CLASSES) return bars('Probabilities', probabilities);
  const sorted = [...probabilities].sort(([, left], [, right]) => right - left);
  const right = sorted.slice(MOST_CLASSES).find(([name]) => name === label);
  const shown =
    right === undefined ? sorted.slice(0, MOST_CLASSES) : [...sorted.slice(0, MOST_CLASSES - 1), right];
  const rest = 1 - shown.reduce((sum, [, share]) => sum + share, 0);
  return bars(
    'Probabilities',
    shown,
    `${probabilities.length - shown.length} other classes together: ${Math.max(0, rest).toFixed(3)}`,
  );
}

/** Shares 0 … 1 by name. */
function bars(title: string, entries: readonly (readonly [string, number])[], note = ''): Markup {
  return markup`<section><h4>${title}</h4><table class="bars"><tbody>${entries.map(
    ([name, share]) =>
      markup`<tr><th scope="row">${shortened(name)}</th><td class="track"><span style="width:${(100 * Math.min(1, Math.max(0, share))).toFixed(1)}%"></span></td><td class="right">${share.toFixed(3)}</td></tr>`,
  )}</tbody></table>${note === '' ? '' : markup`<p class="note">${note}</p>`}</section>`;
}

function shortened(text: string): string {
  const characters = Array.from(text.replace(/\s+/g, ' ').trim());
  return characters.length > MOST_NAME
    ? `${characters.slice(0, MOST_NAME - 1).join('')}…`
    : characters.join('');
}
