/** The smallest program that does what `kubectl kustomize DIR` does. */

import { buildToYaml } from '../src/index.ts';

process.stdout.write(buildToYaml(process.argv[2] ?? '.'));
