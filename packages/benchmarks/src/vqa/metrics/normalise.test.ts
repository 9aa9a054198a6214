import { describe, expect, it } from '@jest/globals';
import { answerForm, normaliseAnswer } from './normalise.js';

/** Expected forms, worked out by hand from the published description and the rules of the public evaluation. */
const cases: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'lower case and white space': [
    ['Yes', 'yes'],
    ['\tRed \n', 'red'],
    ['blue\ngreen', 'blue green'],
    ['black   cat', 'black cat'],
  ],
  'full stops': [
    ['yes.', 'yes'],
    ['3.5', '3.5'],
    ['.5', '.5'],
    ['$3.50.', '$3.50'],
    ['U.S.A.', 'usa'],
    ['2. place', '2 place'],
    ['no.1', 'no.1'],
  ],
  'commas and other marks': [
    ['100,978', '100978'],
    ['1,234,567', '1234567'],
    ['red, white', 'red white'],
    ['red,white', 'red white'],
    ['red ,white,blue', 'red whiteblue'],
    ['1,000-piece', '1000piece'],
    ['t-shirt', 't shirt'],
    ['black - white', 'black white'],
    ['mid-air -ish', 'midair ish'],
    ['on/off', 'on off'],
    ['yes!', 'yes'],
    ['(left) hand', 'left hand'],
    ['"stop"', 'stop'],
    ['a\\b', 'b'],
    ['rock&roll', 'rock&roll'],
    ['50%', '50%'],
  ],
  'apostrophes and contractions': [
    ["girl's", "girl's"],
    ['girls', 'girls'],
    ["don't", "don't"],
    ['dont', "don't"],
    ['Dont know', "don't know"],
    ["couldnt've", "couldn't've"],
    ["couldn'tve", "couldn't've"],
    ["y'alld've", "y'all'd've"],
    ["'ow'sat", "'ow's'at"],
    ['11 oclock', "11 o'clock"],
    ['twas', "'twas"],
    ["somebody'd", 'somebodyd'],
    ['its', 'its'],
    ['well', 'well'],
    ['im', 'im'],
    ['hes', "he's"],
  ],
  colons: [['2:50 pm', '2:50 pm']],
  articles: [
    ['The man', 'man'],
    ['an apple a day', 'apple day'],
    ['a', ''],
    ['theater', 'theater'],
    ['a-frame', 'frame'],
  ],
  'number words': [
    ['two dogs', '2 dogs'],
    ['Ten', '10'],
    ['zero', '0'],
    ['none', '0'],
    ['eleven', 'eleven'],
    ['twenty-one', 'twenty 1'],
    ['someone', 'someone'],
  ],
  nothing: [
    ['', ''],
    ['   ', ''],
    ['?', ''],
    ['.', ''],
  ],
};

describe('normaliseAnswer', () => {
  it.each(Object.entries(cases))('handles %s', (_, pairs) => {
    expect(pairs.map(([answer]) => normaliseAnswer(answer))).toEqual(pairs.map(([, form]) => form));
  });

  it('changes nothing when it is applied again', () => {
    for (const [, form] of Object.values(cases).flat()) expect(normaliseAnswer(form)).toBe(form);
  });
});

describe('answerForm', () => {
  it('keeps marks and articles where one answer is right', () => {
    expect(answerForm(' T-Shirt ', 'exact')).toBe('t-shirt');
    expect(answerForm('the T-Shirt', 'soft')).toBe('t shirt');
  });
});
