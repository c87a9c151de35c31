import { createServer } from 'node:net';

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

/**
 * A loopback port that nothing listens on. Below the range that the kernel takes for outgoing connections (Linux:
 * 32768 and up), so that none of those takes it before the server does; random, so that two test files seldom meet.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
  throw new Error('found no free loopback port between 20000 and 32000');
}
