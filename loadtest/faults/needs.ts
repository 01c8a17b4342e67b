import { findProgram } from '../stack/programs.ts';

/** For `canRun` of a fault that needs nothing but what every fault does. */
export function needsRedis(): true | string {
  return findProgram('redis-server') !== undefined || 'redis-server is not on PATH (Debian: apt install redis-server)';
}

/** For a fault that is behind nginx. */
export function needsNginx(): true | string {
  const able = needsRedis();
  if (able !== true) return able;
  return findProgram('nginx') !== undefined || 'nginx is not on PATH (Debian: apt install nginx)';
}
