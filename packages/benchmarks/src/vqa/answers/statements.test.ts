import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '@dynaprompt/core';
import { candidateStatements, statement } from './statements.js';

describe('statement', () => {
  it('fills in a template, in lower case', () => {
    expect(statement('What is  this?', 'Cat')).toBe('question: what is this? answer: cat');
    expect(statement('What is this?', 'cat', '{answer}, asked {question}')).toBe('cat, asked what is this?');
    expect(statement('Is {answer} $& ok?', '$1 {question}')).toBe(
      'question: is {answer} $& ok? answer: $1 {question}',
    );
  });

  it('refuses a template that says the same for every answer', () => {
    expect(() => statement('What?', 'cat', 'question: {question}')).toThrow(ConfigurationError);
  });

  it.each([
    ['Is there a cat?', 'yes', 'there is a cat'],
    ['Is there a cat?', 'no', 'there is no cat'],
    ['Is there an apple?', 'yes', 'there is an apple'],
    ['Is there a loaf of bread?', 'no', 'there is no loaf of bread'],
    ['Are there any cats?', 'yes', 'there are cats'],
    ['Are there any cats?', 'no', 'there are no cats'],
    ['Is it raining?', 'no', 'it is not raining'],
    ['Are these apples ?', 'yes', 'these are apples'],
    ['Is it raining?', 'maybe', 'is it raining? maybe'],
    ['Is the man tall?', 'no', 'is the man tall? no'],
    ['How many cats are there?', '2', 'there are 2 cats'],
    ['How many people are wearing hats?', '3', '3 people wearing hats'],
    ['What color is behind the cat?', 'red', 'red is behind the cat'],
    ['What colour is the cat?', 'red', 'the cat is red'],
    ['What color are the shoes', 'red', 'the shoes are red'],
    ['What is this?', 'orange', 'this is an orange'],
    ['What are these?', 'oranges', 'these are oranges'],
    ['What kind of thing is this?', 'food', 'this is food'],
    ['What is to the left of the cat?', 'dog', 'a dog is to the left of the cat'],
    ['What is above the cat?', 'dog', 'a dog is above the cat'],
    ['Who is in front of the house?', 'the owner', 'the owner is in front of the house'],
    ['Why is he smiling?', 'happy', 'why is he smiling? happy'],
  ])('makes a sentence of "%s" and "%s"', (question, answer, sentence) => {
    expect(statement(question, answer, 'declarative')).toBe(sentence);
  });

  it('gives different texts for different answers', () => {
    for (const question of ['Is there a cat?', 'What is this?', 'Where?', 'Is the man tall?']) {
      const texts = candidateStatements(question, ['yes', 'no', 'cat', '2'], 'declarative');
      expect(new Set(texts).size).toBe(4);
    }
  });
});
