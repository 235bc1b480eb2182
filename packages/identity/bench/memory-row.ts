/** Owns the row of memory at rest. */
import { residentMb, startProvider } from './provider-process.ts';

/** Start-up memory is given back some seconds after the start. */
const AT_REST_MS = 5000;

export async function memoryRow(): Promise<readonly string[]> {
  const provider = await startProvider({ algorithm: 'RS256' });
  try {
    await new Promise((resolve) => setTimeout(resolve, AT_REST_MS));
    return ['resident memory at rest', `${residentMb(provider)} MB`, '', '', '90 MB', ''];
  } finally {
    await provider.stop();
  }
}
