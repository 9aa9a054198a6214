import { checkQueue } from './check-queue/check.js';
import { hasRedisServer } from './check-queue/redis-server.js';

if (hasRedisServer()) {
  const report = await checkQueue((line) => process.stderr.write(`${line}\n`));
  console.log(JSON.stringify(report, undefined, 2));
  if (report.verdict !== 'PASS') process.exitCode = 1;
} else {
  console.error(
    'check-queue: there is no redis-server to start. Install it, such as with apt-get install redis-server, and try again.',
  );
  process.exitCode = 2;
}
