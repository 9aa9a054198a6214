/** Contractions that people write without an apostrophe and that are no other word then (`its`, `were`, `well` are). */
const single =
  "ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's isn't it'd it'll " +
  "ma'am might've mightn't must've mustn't needn't not've o'clock oughtn't shan't should've shouldn't somebody'll somebody's " +
  "someone'd someone'll someone's something'd something'll that's there'd there're there's they'd they'll they're they've 'twas " +
  "wasn't we've weren't what'll what're what's what've when's where'd where's where've who'd who'll who's who've why'll why're " +
  "why's won't would've wouldn't y'all you'd you'll you're you've";

/** Contractions with two apostrophes or more, of which one is forgotten. */
const double =
  "couldn't've hadn't've he'd've it'd've mightn't've she'd've shouldn't've somebody'd've someone'd've something'd've there'd've " +
  "they'd've we'd've who'd've wouldn't've y'all'll y'all'd've you'd've 'ow's'at";

const words = (list: string): readonly string[] => list.split(' ');

/**
 * Spellings that the VQA evaluation mends, in lower case, with the right ones (the table of the public evaluation, described on
 * https://visualqa.org/evaluation.html). Its entries with a capital (`Im`, `Ive`) never match a lower-case word, so they are not
 * here; `somebody'd` loses its apostrophe there, and here.
 */
export const contractions: ReadonlyMap<string, string> = new Map([
  ...words(single).map((right): [string, string] => [right.replace("'", ''), right]),
  ...words(double).flatMap((right) =>
    [...right.matchAll(/'/g)].map(({ index }): [string, string] => [
      right.slice(0, index) + right.slice(index + 1),
      right,
    ]),
  ),
  ["somebody'd", 'somebodyd'],
]);
