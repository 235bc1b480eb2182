/** The requests over HTTP/2 again, and more of them. */
process.env['KFCTL_STRESS_REQUESTS'] ??= '30000';
await import('./http2-stress.test.ts');
