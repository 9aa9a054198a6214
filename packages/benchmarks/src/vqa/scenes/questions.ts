import type { RandomStream } from '@dynaprompt/core';
import { type ColorName, colorNames, type Concept, otherWords } from './concepts.js';
import { balanced } from './quotas.js';
import { type Cells, Composer, type Stock } from './scene.js';

/** A scene and what is asked about it. */
export interface AskedScene {
  readonly cells: Cells;
  readonly question: string;
  readonly questionType: string;
  readonly answerType: 'yes/no' | 'number' | 'other';
  readonly answer: string;
  /** What some people say instead. */
  readonly alias?: string;
}

/** A kind of question: its answers, and a scene for one of them. */
interface QuestionKind<T> {
  readonly answers: (stock: Stock) => readonly T[];
  /** `isHeldOut` says whether the scene has to show a held-out combination, in what the question is about, or must not. */
  readonly scene: (answer: T, isHeldOut: boolean, composer: Composer) => AskedScene;
}

const what: QuestionKind<Concept> = {
  answers: ({ concepts }) => concepts,
  scene: (concept, isHeldOut, composer) => ({
    cells: [alone(concept, isHeldOut, composer)],
    question: 'What is this?',
    questionType: 'what is this',
    answerType: 'other',
    ...named(concept),
  }),
};

const category: QuestionKind<string> = {
  answers: ({ concepts }) => [...new Set(concepts.map((concept) => concept.category))],
  scene: (answer, isHeldOut, composer) => ({
    cells: [
      alone(
        composer.concept((concept) => concept.category === answer),
        isHeldOut,
        composer,
      ),
    ],
    question: 'What kind of thing is this?',
    questionType: 'what kind',
    answerType: 'other',
    ...worded(answer),
  }),
};

const count: QuestionKind<number> = {
  answers: () => [1, 2, 3, 4],
  scene: (answer, isHeldOut, composer) => {
    const concept = composer.concept();
    const first = alone(concept, isHeldOut, composer);
    const same = Array.from({ length: answer - 1 }, () => composer.thing(concept));
    const rest = composer.others(composer.between(0, 4 - answer), [concept]);
    return {
      cells: composer.scattered([first, ...same, ...rest.map((other) => composer.thing(other))]),
      question: `How many ${concept.plural} are there?`,
      questionType: 'how many',
      answerType: 'number',
      ...worded(`${answer}`),
    };
  },
};

const existence: QuestionKind<'yes' | 'no'> = {
  answers: () => ['yes', 'no'],
  scene: (answer, isHeldOut, composer) => {
    const asked = composer.concept();
    const first = answer === 'yes' ? asked : composer.concept((other) => other !== asked);
    const pair = [first, composer.companion(first, isHeldOut, asked)];
    const rest = composer.others(composer.between(0, 2), pair, [asked]);
    return {
      cells: composer.scattered([...pair, ...rest].map((concept) => composer.thing(concept))),
      question: `Is there ${asked.one}?`,
      questionType: 'is there',
      answerType: 'yes/no',
      answer,
    };
  },
};

const color: QuestionKind<ColorName> = {
  answers: () => colorNames,
  scene: (answer, isHeldOut, composer) => {
    const { colorOf } = composer.stock.heldOut;
    const concept = composer.concept((candidate) => (colorOf(candidate) === answer) === isHeldOut);
    const rest = composer.others(composer.between(1, 3), [concept]);
    return {
      cells: composer.scattered([
        composer.thing(concept, answer),
        ...rest.map((other) => composer.thing(other)),
      ]),
      question: `What color is behind the ${concept.name}?`,
      questionType: 'what color is',
      answerType: 'other',
      ...worded(answer),
    };
  },
};

/** Cells that the thing asked from may stand in, and the steps from there to the answer and to a cell that is in neither's way. */
const directions = [
  { words: 'to the left of', from: [1, 3], answer: -1, aside: { 1: 3, 3: 1 } },
  { words: 'to the right of', from: [0, 2], answer: 1, aside: { 0: 2, 2: 0 } },
  { words: 'above', from: [2, 3], answer: -2, aside: { 2: 3, 3: 2 } },
  { words: 'below', from: [0, 1], answer: 2, aside: { 0: 1, 1: 0 } },
] as const;

const position: QuestionKind<Concept> = {
  answers: ({ concepts }) => concepts,
  scene: (concept, isHeldOut, composer) => {
    const direction = directions[composer.random.integer(directions.length)] ?? directions[0];
    const from = direction.from[composer.random.integer(2)] ?? direction.from[0];
    const anchor = composer.companion(concept, isHeldOut);
    const cells: Cells[number][] = Array<undefined>(4).fill(undefined);
    cells[from] = composer.thing(anchor);
    cells[from + direction.answer] = composer.thing(concept);
    // Only on the far side, so that nothing else is to the left of it, not even diagonally.
    const [third] = composer.others(composer.between(0, 1), [concept, anchor]);
    const aside = (direction.aside as Readonly<Record<number, number>>)[from];
    if (third !== undefined && aside !== undefined) cells[aside] = composer.thing(third);
    return {
      cells,
      question: `What is ${direction.words} the ${anchor.name}?`,
      questionType: `what is ${direction.words.replace('to the ', '').replace(' of', '')}`,
      answerType: 'other',
      ...named(concept),
    };
  },
};

/** Makes so many scenes of one kind. */
type Maker = (count: number, withHeldOut: boolean, composer: Composer) => readonly AskedScene[];

function makerOf<T>({ answers, scene }: QuestionKind<T>): Maker {
  return (count, withHeldOut, composer) =>
    balanced(answers(composer.stock), count, composer.random).map((answer, number) =>
      scene(answer, withHeldOut && number % 2 === 1, composer),
    );
}

const makers: readonly Maker[] = [
  makerOf(what),
  makerOf(category),
  makerOf(count),
  makerOf(existence),
  makerOf(color),
  makerOf(position),
];

/**
 * [total] Scenes of all six kinds of questions, as many of each as of any other (give or take one), with balanced answers, in a
 * random order. Every second scene of a kind shows a held-out combination where `withHeldOut`; otherwise none does.
 */
export function askedScenes(
  total: number,
  stock: Stock,
  withHeldOut: boolean,
  random: RandomStream,
): readonly AskedScene[] {
  const composer = new Composer(stock, random);
  const scenes = makers.flatMap((make, index) =>
    make(Math.floor((total + makers.length - 1 - index) / makers.length), withHeldOut, composer),
  );
  return random.shuffle(scenes);
}

/** A thing whose square has the held-out colour, or another. */
function alone(concept: Concept, isHeldOut: boolean, composer: Composer) {
  return composer.thing(concept, isHeldOut ? composer.stock.heldOut.colorOf(concept) : undefined);
}

function named({ name, alias }: Concept): Pick<AskedScene, 'answer' | 'alias'> {
  return { answer: name, ...(alias !== undefined && { alias }) };
}

function worded(answer: string): Pick<AskedScene, 'answer' | 'alias'> {
  const alias = otherWords[answer];
  return { answer, ...(alias !== undefined && { alias }) };
}
