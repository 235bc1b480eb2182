/** The dashboard is a process; its one export is the handler that tests and other hosts may mount. */
export { createDashboard } from './create-dashboard.ts';
export type { DashboardOptions } from './create-dashboard.ts';
