import { type RowFault, RowProblem } from '../../datasets/rows/faults.js';
import { textOf, type Values } from '../../datasets/rows/values.js';
import { fileFault } from '../../datasets/formats/read-bytes.js';
import type { VqaExample } from '../types.js';
import { pictureFolder, type PictureFolder } from './picture-folder.js';
import { answersOf, faultOf, idOf, interner, optionalText, present, readItems } from './rows.js';

/** Files of one split. */
export interface VqaPart {
  /** Stands in front of ids. */
  readonly name: string;
  /** JSON with `questions`. */
  readonly questions: string;
  /** JSON with `annotations`; the answers are hidden where absent. */
  readonly annotations?: string;
  /** Folder of the pictures, called by their ids. */
  readonly pictures: string;
}

interface Question {
  readonly questionId: string;
  readonly imageId: string;
  readonly question: string;
  readonly image: VqaExample['image'];
  /** Counted from 1. */
  readonly row: number;
}

interface Annotation extends Pick<
  VqaExample,
  'imageId' | 'answers' | 'answer' | 'questionType' | 'answerType' | 'group'
> {
  readonly row: number;
}

const otherSplit = 'Give questions and annotations of the same split';

/** What a file holds by the id of the question, and all ids that stand in it, those of its bad rows too. */
interface ById<T> {
  readonly found: ReadonlyMap<string, T>;
  readonly listed: ReadonlySet<string>;
}

/**
 * Reads one split in the format of VQA, in the order of its questions. Faults are questions without a picture or annotation,
 * annotations without a question, ids that stand twice, and pictures that differ between question and annotation. Rejects with a
 * `DataError` for whole files: missing, cut off, or of different splits.
 */
export async function readVqaPart(part: VqaPart, faults: RowFault[]): Promise<readonly VqaExample[]> {
  const questions = await readQuestions(part.questions, await pictureFolder(part.pictures), faults);
  if (part.annotations === undefined) {
    return [...questions.found.values()].map((question) => ({
      ...exampleOf(question, part.name),
      answers: [],
    }));
  }
  const annotations = await readAnnotations(part.annotations, faults);
  if (questions.listed.size > 0 && [...questions.listed].every((id) => !annotations.listed.has(id))) {
    throw fileFault(
      part.annotations,
      `none of its ${annotations.listed.size} annotations belongs to a question of ${part.questions}`,
      otherSplit,
    );
  }
  const examples: VqaExample[] = [];
  for (const [questionId, question] of questions.found) {
    const annotation = annotations.found.get(questionId);
    // An annotation that is there and bad is a fault already.
    if (annotation === undefined && annotations.listed.has(questionId)) continue;
    try {
      examples.push({ ...exampleOf(question, part.name), ...matching(question, annotation) });
    } catch (cause) {
      faults.push(faultOf(cause, part.questions, question.row));
    }
  }
  for (const [questionId, { row }] of annotations.found) {
    if (questions.listed.has(questionId)) continue;
    const problem = new RowProblem(`question ${questionId} is not in ${part.questions}`, otherSplit);
    faults.push(faultOf(problem, part.annotations, row));
  }
  return examples;
}

async function readQuestions(
  path: string,
  folder: PictureFolder,
  faults: RowFault[],
): Promise<ById<Question>> {
  return byQuestion(path, 'questions', faults, (values, questionId, row) => {
    const imageId = idOf(values, 'image_id');
    const picture = folder.numbered(imageId);
    return {
      questionId,
      imageId,
      question: textOf(values, 'question'),
      image: { kind: 'file', path: picture },
      row,
    };
  });
}

async function readAnnotations(path: string, faults: RowFault[]): Promise<ById<Annotation>> {
  const same = interner();
  return byQuestion(path, 'annotations', faults, (values, _, row) => ({
    ...annotationOf(values, same),
    row,
  }));
}

async function byQuestion<T>(
  path: string,
  member: string,
  faults: RowFault[],
  read: (values: Values, questionId: string, row: number) => T,
): Promise<ById<T>> {
  const listed = new Set<string>();
  const items = await readItems(
    path,
    member,
    (values, _, row) => {
      const questionId = unique(idOf(values, 'question_id'), listed);
      return [questionId, read(values, questionId, row)] as const;
    },
    faults,
  );
  return { found: new Map(items), listed };
}

function annotationOf(values: Values, same: (text: string) => string): Omit<Annotation, 'row'> {
  const text = (column: string) => {
    const found = optionalText(values, column);
    return found === undefined ? undefined : same(found);
  };
  return {
    imageId: idOf(values, 'image_id'),
    answers: answersOf(values, 'answers').map(same),
    ...present({
      answer: text('multiple_choice_answer'),
      questionType: text('question_type'),
      answerType: text('answer_type'),
      group: text('combination'),
    }),
  };
}

function exampleOf(
  { questionId, imageId, question, image }: Question,
  name: string,
): Omit<VqaExample, 'answers'> {
  return { id: `${name}/${questionId}`, questionId, imageId, question, image };
}

/** The annotation without its own ids, where they match. */
function matching(
  { questionId, imageId }: Question,
  annotation: Annotation | undefined,
): Omit<Annotation, 'imageId' | 'row'> {
  if (annotation === undefined) {
    throw new RowProblem(`question ${questionId} has no annotation`, otherSplit);
  }
  if (annotation.imageId !== imageId) {
    throw new RowProblem(
      `question ${questionId} is about picture ${imageId}, and its annotation about ${annotation.imageId}`,
      otherSplit,
    );
  }
  const { answers, answer, questionType, answerType, group } = annotation;
  return { answers, ...present({ answer, questionType, answerType, group }) };
}

function unique(questionId: string, seen: Set<string>): string {
  if (seen.has(questionId)) {
    throw new RowProblem(`question ${questionId} stands there twice`, 'Take one of them out');
  }
  seen.add(questionId);
  return questionId;
}
