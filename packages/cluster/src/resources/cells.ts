/** Owns the texts of table cells. */

/** `5s`, `3m20s`, `2h`, `5d` … as kubectl shows ages; `<unknown>` for no time. */
export function renderAge(timestamp: unknown, nowMs: number): string {
  const start = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(start)) return '<unknown>';
  return renderDuration(Math.floor((nowMs - start) / 1000));
}

/** A duration in seconds, with fewer parts the longer it is. */
export function renderDuration(total: number): string {
  if (total < -1) return '<invalid>';
  const seconds = Math.max(0, total);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  if (days < 2920) return days % 365 === 0 ? `${years}y` : `${years}y${days % 365}d`;
  return `${years}y`;
}
