import type { EndpointStatistics } from '../platform/metrics.ts';

/** One line of SkiDataAPI's operation 8; milliseconds, whole. */
export interface EndpointStat {
  URL: string;
  operation: string;
  mean: number;
  max: number;
}

const SKI_DATA_ROUTE = /^\/(skiers\/|resorts(\/:resortID\/|$)|statistics$)/;

/** @returns what the process has measured of its SkiDataAPI routes, in their own notation: `/resorts/{resortID}/seasons` */
export function endpointStats(endpoints: EndpointStatistics[]): EndpointStat[] {
  return endpoints
    .filter(({ route }) => SKI_DATA_ROUTE.test(route))
    .map(({ method, route, count, totalMs, maxMs }) => ({
      URL: route.replaceAll(/:(\w+)/g, '{$1}'),
      operation: method,
      mean: Math.round(totalMs / count),
      max: Math.round(maxMs),
    }))
    .toSorted((a, b) => a.URL.localeCompare(b.URL) || a.operation.localeCompare(b.operation));
}
