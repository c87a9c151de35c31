/**
 * Bytes as a Kubernetes quantity, rounded down so that it never claims more than was measured: hundredths of a Gi,
 * whole Mi, below 10 Mi whole Ki. Undefined for what no container can use.
 */
export function memoryText(bytes: number): string | undefined {
  if (!(bytes >= 1024) || bytes >= 2 ** 60) return undefined;
  if (bytes >= 2 ** 30) return `${Math.floor((bytes / 2 ** 30) * 100) / 100}Gi`;
  if (bytes >= 10 * 2 ** 20) return `${Math.floor(bytes / 2 ** 20)}Mi`;
  return `${Math.floor(bytes / 1024)}Ki`;
}

/** Cores as whole millicores, rounded down, at least `1m`: a container that idles is not one of which nothing is known. */
export function cpuText(cores: number): string | undefined {
  if (!(cores >= 0) || cores > 1_000_000) return undefined;
  // 0.35 * 1000 is 350, 0.57 * 1000 is 569.9999999999999.
  const millis = Math.max(1, Math.floor(Number((cores * 1000).toPrecision(12))));
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`;
}

/** Three significant digits; whole numbers from 100 on. */
export function rateFigure(perSecond: number): number | undefined {
  if (!(perSecond >= 0)) return undefined;
  return perSecond >= 100 ? Math.round(perSecond) : Number(perSecond.toPrecision(3));
}

/** As PromQL's `quantile`: linear between the two nearest. */
export function quantile(values: readonly number[], q: number): number | undefined {
  const sorted = values.toSorted((left, right) => left - right);
  const rank = q * (sorted.length - 1);
  const low = sorted[Math.floor(rank)];
  const high = sorted[Math.ceil(rank)];
  return low === undefined || high === undefined ? undefined : low + (high - low) * (rank - Math.floor(rank));
}
