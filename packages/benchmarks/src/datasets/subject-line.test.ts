import { describe, expect, it } from '@jest/globals';
import { subjectLine } from './subject-line.js';

function subjectOf(value: string): string | undefined {
  return subjectLine(`From: someone\nSubject: ${value}\nTo: you\n\nSubject: not a header\n`);
}

describe('subjectLine', () => {
  it.each([
    ['Re: [ILUG] Fwd: kernel panic on boot', 'kernel panic on boot'],
    ['ADV: Low Cost Life Insurance', 'Low Cost Life Insurance'],
    ['Internet saves the day (was: RE: lost keys)', 'Internet saves the day'],
    ['yyyy,Introducing a new drug', 'Introducing a new drug'],
    ['Free videos To: yyyy@netnoteinc.com now', 'Free videos To: now'],
    ['Instant Quote                    tkahq', 'Instant Quote'],
    ['Consolidation Begins to Accelerate.................... owwra', 'Consolidation Begins to Accelerate'],
    ['Clearance sale 7126kyiK0-697yFCQ4277rqZm-24', 'Clearance sale'],
    ['What every business needs! [6ywab]', 'What every business needs!'],
    ['GREAT MONEY!!!32286', 'GREAT MONEY!!!'],
    ['Advice on adverbs', 'Advice on adverbs'],
    ['folded over\n two lines', 'folded over two lines'],
    ['=?iso-8859-1?Q?Encoded_words_here?=', 'Encoded words here'],
  ])('%j becomes %j', (value, expected) => {
    expect(subjectOf(value)).toBe(expected);
  });

  it.each([
    ['hello'],
    ['Re:'],
    ['2002 10'],
    ['=?utf-8?B?44GT44KT44Gr44Gh44Gv?= two words'],
    ['caf\u00e9 au lait'],
  ])('%j is not usable', (value) => {
    expect(subjectOf(value)).toBeUndefined();
  });

  it('reads the header only', () => {
    expect(subjectLine('From: someone\n\nSubject: in the body\n')).toBeUndefined();
  });
});
