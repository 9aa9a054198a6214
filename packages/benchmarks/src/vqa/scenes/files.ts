import type { RandomStream } from '@dynaprompt/core';
import { openMojiAttribution } from '../../images/openmoji.js';
import { hasHeldOut } from './scene.js';
import type { HeldOutCombinations } from './combinations.js';
import type { AskedScene } from './questions.js';

/** A scene with its number and what ten people say about it. */
export interface NumberedScene extends AskedScene {
  readonly imageId: number;
  /** Ten answers. */
  readonly answers: readonly string[];
  readonly combination: 'seen' | 'held-out';
}

/** People that answer a question. */
const PEOPLE = 10;
/** So often does one of them use another word where there is one, and so many do at most. */
const OTHER_WORD = { chance: 0.15, most: 3 };
/** Questions of one picture have ids from 1,000 times its own. */
const IDS_PER_PICTURE = 1000;

/** Numbers scenes from `first` on and has people answer them. */
export function numbered(
  scenes: readonly AskedScene[],
  first: number,
  heldOut: HeldOutCombinations,
  random: RandomStream,
): readonly NumberedScene[] {
  return scenes.map((scene, index) => ({
    ...scene,
    imageId: first + index,
    answers: tenAnswers(scene, random),
    combination: hasHeldOut(scene.cells, heldOut) ? 'held-out' : 'seen',
  }));
}

/** Name of a picture in the folder of its split. */
export function pictureName(split: string, imageId: number): string {
  return `scenes_${split}_${`${imageId}`.padStart(12, '0')}.png`;
}

/** The two JSON files of a split by name, in the format of VQA. */
export function splitFiles(
  split: string,
  scenes: readonly NumberedScene[],
  seed: number,
): ReadonlyMap<string, string> {
  const head = {
    info: {
      description: `Scenes of OpenMoji drawings, seed ${seed}`,
      version: '1.0',
      contributor: 'DynaPrompt',
    },
    data_type: 'scenes',
    data_subtype: split,
    license: { name: 'CC BY-SA 4.0', url: 'https://creativecommons.org/licenses/by-sa/4.0/' },
  };
  const questions = scenes.map(({ imageId, question }) => ({
    image_id: imageId,
    question,
    question_id: imageId * IDS_PER_PICTURE,
  }));
  const annotations = scenes.map((scene) => ({
    question_type: scene.questionType,
    multiple_choice_answer: scene.answer,
    answers: scene.answers.map((answer, index) => ({
      answer,
      answer_confidence: answer === scene.answer ? 'yes' : 'maybe',
      answer_id: index + 1,
    })),
    image_id: scene.imageId,
    answer_type: scene.answerType,
    question_id: scene.imageId * IDS_PER_PICTURE,
    combination: scene.combination,
  }));
  return new Map([
    [
      `OpenEnded_scenes_${split}_questions.json`,
      JSON.stringify({ ...head, task_type: 'Open-Ended', questions }),
    ],
    [`scenes_${split}_annotations.json`, JSON.stringify({ ...head, annotations })],
  ]);
}

/** What the folder holds and whose the drawings are. */
export function readme(counts: Readonly<Record<string, number>>, seed: number, size: number): string {
  const parts = Object.entries(counts).map(([split, count]) => `- ${split}: ${count}`);
  return [
    '# Scenes',
    '',
    `Pictures of ${size} × ${size} pixels with a question each, in the layout of VQA; drawn with seed ${seed}.`,
    '',
    ...parts,
    '',
    'The drawings of the test split were held out when the backbone was trained. `combination` of an annotation says whether the',
    'picture shows a colour behind something, or two things together, that no training picture shows.',
    '',
    openMojiAttribution,
    '',
  ].join('\n');
}

function tenAnswers({ answer, alias }: AskedScene, random: RandomStream): readonly string[] {
  let others = 0;
  return Array.from({ length: PEOPLE }, () => {
    const isOther = random.uniform() < OTHER_WORD.chance && others < OTHER_WORD.most;
    if (alias === undefined || !isOther) return answer;
    others += 1;
    return alias;
  });
}
