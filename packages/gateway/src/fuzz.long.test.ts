/** The fuzzer of requests again, for longer. */
process.env['FUZZ_ROUNDS'] ??= '10000';
await import('./fuzz.test.ts');
