import type { Files } from './render.js';

interface SiblingManifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** package.json, tsconfig.json and jest.config.js as the packages beside it have them. */
export function projectFiles(
  name: string,
  family: string,
  { backbone, vision }: { readonly backbone: SiblingManifest; readonly vision: SiblingManifest },
): Files {
  const { version } = backbone;
  const used = ['backbone', 'core', 'onnx-autodiff'];
  const tested = ['conformance', 'training'];
  const { dependencies, ...shared } = backbone;
  const versions = (packages: readonly string[]): [string, string][] =>
    packages.map((other) => [`@dynaprompt/${other}`, version]);
  const manifest = {
    ...shared,
    name: `@dynaprompt/${name}`,
    description: `Frozen backbones of the family ${family} for dynamic prompts.`,
    dependencies: Object.fromEntries([
      ...versions(used),
      ['zod', vision.dependencies?.zod ?? dependencies?.zod],
    ]),
    devDependencies: Object.fromEntries(versions(tested)),
  };
  const config = {
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' },
    include: ['src'],
    references: [...used, ...tested].map((other) => ({ path: `../${other}` })),
  };
  return new Map([
    ['package.json', JSON.stringify(manifest)],
    ['tsconfig.json', JSON.stringify(config)],
    ['jest.config.js', "export { default } from '../../tools/jest/preset.js';"],
  ]);
}
