/** The same frames by chance, many more of them. */
process.env['FUZZ_ROUNDS'] ??= '20000';
await import('./fuzz.test.ts');
