import { fileURLToPath } from 'node:url';
import { fileProblems, importProblems, packageProblems, referenceProblems } from './packages/checks.js';
import { readMembers } from './packages/workspace.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const members = readMembers(root);
const published = await Promise.all(members.map((member) => packageProblems(root, member)));
const problems = [
  ...published.flat(),
  ...referenceProblems(members),
  ...importProblems(root),
  ...fileProblems(root),
];
for (const problem of problems) console.error(problem);
console.log(`${members.length} workspace members checked, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;
