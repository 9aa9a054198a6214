import { decodeWords } from 'postal-mime';

/**
 * The subject of an RFC 822 message as a person would say it, or undefined where nothing usable is left. Takes away what
 * gives the class away without being language: reply and forward marks, list tags, the `ADV:` label, addresses and the
 * masked recipient in front, and the serial numbers and padding with which bulk mailers make each copy unique. Subjects
 * that are not printable ASCII, or that have fewer than two words, are not usable.
 */
export function subjectLine(message: string): string | undefined {
  const field = /^subject:[ \t]*(.*(?:\r?\n[ \t].*)*)/im.exec(headersOf(message))?.[1];
  if (field === undefined) return undefined;
  const decoded = decodeWords(field.replace(/\r?\n(?=[ \t])/g, ''));
  const subject = withoutTail(withoutMarks(decoded));
  if (!/^[\x20-\x7e]*$/.test(subject)) return undefined;
  return wordsOf(subject).length >= 2 ? subject : undefined;
}

/** Lower-case words of two letters or more. */
export function wordsOf(subject: string): string[] {
  return subject.toLowerCase().match(/[a-z]{2,}/g) ?? [];
}

function headersOf(message: string): string {
  const end = /\r?\n\r?\n/.exec(message)?.index;
  return message.slice(0, end);
}

/** Marks that stand in front of a subject or follow it in parentheses. */
const marks: readonly RegExp[] = [
  /^(?:re|fw|fwd|aw|sv)(?:\[\d+\])?\s*:\s*/i,
  /^\[[^\]]{1,40}\]\s*/,
  /^\(fwd\)\s*|\s*\(fwd\)$/i,
  /^adv\b\s*:?\s*/i,
  /\s*[([]was:?\s.*$/i,
  /^[a-z]{2,12},(?=\S)/,
];

function withoutMarks(text: string): string {
  let subject = text.trim();
  for (let before = ''; before !== subject;) {
    before = subject;
    for (const mark of marks) subject = subject.replace(mark, '');
  }
  return subject;
}

function withoutTail(text: string): string {
  return text
    .replace(/\s{3,}\S*\s*$/, '')
    .replace(/(?:\s+|^)\S*@\S*/g, ' ')
    .replace(/[.!\s]{5,}\s*[a-z]{1,6}$/, '')
    .replace(/\s*\[[a-z0-9]{4,8}\]$/i, '')
    .replace(/\s*(?=\S*\d)(?=\S*[a-z])[a-z0-9-]{5,}(?:\s+[a-z]{1,4})?$/i, '')
    .replace(/(?<=[a-z.!?]\s*)\d{4,}$/i, '')
    .replace(/\s+/g, ' ')
    .trim();
}
