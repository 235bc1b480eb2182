/**
 * The provider in a process of its own. Beside each figure stands what the work costs by itself: two signatures for a refresh,
 * one bcrypt for a login of the file, a bind for a login at slapd. CPU time of the provider and of the load are told apart.
 */
import { printTable } from '../../../bench/table.ts';
import { directoryRows } from './directory-rows.ts';
import { loginRows } from './login-rows.ts';
import { memoryRow } from './memory-row.ts';
import { refreshRows } from './refresh-rows.ts';

export async function run(): Promise<void> {
  const rows = [await memoryRow(), ...(await refreshRows()), ...(await loginRows()), ...(await directoryRows())];
  printTable(['what', 'measured', 'beside', 'its rate', 'bar', 'share'], rows);
}
