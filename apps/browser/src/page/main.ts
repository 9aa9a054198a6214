import { latest } from './latest.js';
import { type OpenModel, openModel } from './model/open-model.js';
import { PageError } from './model/page-error.js';
import { showAnswer } from './view/answer-view.js';
import { byId } from './view/elements.js';
import { modelFacts } from './view/model-facts.js';

/** Milliseconds without a key until a text is answered. */
const PAUSE = 250;

const state = byId('state', HTMLDivElement);
const progress = byId('progress', HTMLProgressElement);
const form = byId('form', HTMLFormElement);
const text = byId('text', HTMLTextAreaElement);
const pair = byId('pair', HTMLTextAreaElement);
const result = byId('result', HTMLElement);

/** `data-state` of the body says to tests and styles how far the page is. */
function enter(name: 'loading' | 'ready' | 'busy' | 'failed', message: string): void {
  document.body.dataset.state = name;
  byId('message', HTMLParagraphElement).textContent = message;
  state.hidden = name === 'ready' || name === 'busy';
  progress.hidden = name !== 'loading';
  state.role = name === 'failed' ? 'alert' : 'status';
}

function fail(error: unknown): void {
  const { message, remedy } =
    error instanceof PageError ? error : new PageError(String(error), 'Load the page again.', error);
  form.hidden = true;
  result.hidden = true;
  enter('failed', `The model cannot be used. ${message}. ${remedy}`);
}

function showProgress(loaded: number, total: number): void {
  progress.max = total;
  progress.value = loaded;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  byId('message', HTMLParagraphElement).textContent =
    `Loading the model: ${megabytes(loaded)} of ${megabytes(total)} MB`;
}

function listen(model: OpenModel): void {
  const answer = latest(async ({ first, second }: { readonly first: string; readonly second: string }) => {
    if (first === '') {
      result.hidden = true;
      return;
    }
    enter('busy', '');
    showAnswer(model.description, await model.answer(first, second === '' ? undefined : second));
    enter('ready', '');
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = (pause: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      answer({ first: text.value.trim(), second: pair.value.trim() }).catch(fail);
    }, pause);
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    ask(0);
  });
  form.addEventListener('input', () => {
    ask(PAUSE);
  });
  for (const field of [text, pair]) {
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }
  // A browser may have kept what was typed before the page was loaded again.
  if (text.value.trim() !== '') ask(0);
}

try {
  enter('loading', 'Loading the model');
  const model = await openModel(new URL('.', document.baseURI), showProgress);
  byId('facts', HTMLDListElement).replaceChildren(...modelFacts(model.description));
  byId('inside', HTMLElement).hidden = false;
  form.hidden = false;
  enter('ready', '');
  listen(model);
} catch (error) {
  fail(error);
}
