import { afterEach, beforeEach } from '@jest/globals';
import { temporaryFolder } from './folders.js';

const VARIABLES = [
  'HF_ENDPOINT',
  'HF_HOME',
  'HF_HUB_CACHE',
  'HUGGINGFACE_HUB_CACHE',
  'HF_TOKEN',
  'HF_HUB_OFFLINE',
] as const;

/** Gives every test an empty Hugging Face home and no other setting of it; says where it is. */
export function cleanHubEnvironment(): () => string {
  const saved = VARIABLES.map((name) => [name, process.env[name]] as const);
  const unset = (name: string): boolean => Reflect.deleteProperty(process.env, name);
  let home: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    home = temporaryFolder();
    VARIABLES.forEach(unset);
    process.env.HF_HOME = home.folder;
  });
  afterEach(() => {
    home.remove();
    for (const [name, value] of saved) {
      if (value === undefined) unset(name);
      else process.env[name] = value;
    }
  });
  return () => home.folder;
}
