/** Every hand-made case: each documented field, option and mistake. */

import { configurationCases } from './configuration.ts';
import { generatorsCases } from './generators.ts';
import { labelsAndImagesCases } from './labels-and-images.ts';
import type { Cases } from './objects.ts';
import { optionCases } from './options.ts';
import { patchesCases } from './patches.ts';
import { replacementsCases } from './replacements.ts';
import { structureCases } from './structure.ts';
import { yamlCases } from './yaml.ts';

export const handMade: Cases = {
  ...structureCases,
  ...labelsAndImagesCases,
  ...patchesCases,
  ...generatorsCases,
  ...replacementsCases,
  ...configurationCases,
  ...yamlCases,
  ...optionCases,
};

/** Mistakes that kubectl lets pass, and that are refused here. */
export const stricter: ReadonlySet<string> = new Set(['openapi bad']);
