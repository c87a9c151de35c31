import net from 'node:net';
import tls from 'node:tls';

/**
 * A connection to a host through a proxy: HTTP CONNECT (`http:`, `https:`) or SOCKS 5 (`socks5:`, `socks5h:`), the
 * schemes that kubectl takes in `proxy-url`. The proxy resolves the name of the host.
 * @throws the error of the socket, or a sentence about what the proxy said
 */
export async function openTunnel(proxy: URL, host: string, port: number, signal: AbortSignal): Promise<net.Socket> {
  const socket = await openSocket(proxy, signal);
  try {
    if (proxy.protocol.startsWith('socks')) await socks(socket, proxy, host, port);
    else await connect(socket, proxy, host, port);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

function openSocket(proxy: URL, signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const secure = proxy.protocol === 'https:';
    const host = proxy.hostname.replace(/^\[|\]$/g, '');
    const port = Number(proxy.port || (secure ? 443 : proxy.protocol === 'http:' ? 80 : 1080));
    const socket: net.Socket = secure ? tls.connect({ host, port, servername: host }) : net.connect({ host, port });
    const onAbort = (): void => void socket.destroy(new Error('ended'));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', onAbort));
    socket.once('error', reject);
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

async function connect(socket: net.Socket, proxy: URL, host: string, port: number): Promise<void> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const login = proxy.username === '' ? '' : `Proxy-Authorization: Basic ${credentials(proxy).toString('base64')}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${login}\r\n`);
  const head = await readUntil(socket, (bytes) => {
    const end = bytes.indexOf('\r\n\r\n');
    return end === -1 ? undefined : end + 4;
  });
  const status = /^HTTP\/1\.[01] (\d{3})([^\r\n]*)/.exec(head.toString('latin1'));
  if (status?.[1] !== '200') {
    throw new Error(`the proxy ${proxy.host} answered ${status === null ? 'no HTTP' : `${status[1]}${status[2]}`}`);
  }
}

/** RFC 1928 and 1929. */
async function socks(socket: net.Socket, proxy: URL, host: string, port: number): Promise<void> {
  const withLogin = proxy.username !== '';
  socket.write(Buffer.from(withLogin ? [5, 2, 0, 2] : [5, 1, 0]));
  const method = await readBytes(socket, 2);
  if (method[0] !== 5) throw new Error(`${proxy.host} is no SOCKS 5 proxy`);
  if (method[1] === 2 && withLogin) {
    const [user, password] = [decodeURIComponent(proxy.username), decodeURIComponent(proxy.password)].map(counted);
    socket.write(Buffer.concat([Buffer.from([1]), user ?? Buffer.alloc(1), password ?? Buffer.alloc(1)]));
    const answer = await readBytes(socket, 2);
    if (answer[1] !== 0) throw new Error(`the proxy ${proxy.host} does not accept its user name and password`);
  } else if (method[1] !== 0) throw new Error(`the proxy ${proxy.host} wants another login`);
  const name = counted(host);
  socket.write(Buffer.concat([Buffer.from([5, 1, 0, 3]), name, Buffer.from([port >> 8, port & 255])]));
  const head = await readBytes(socket, 5);
  if (head[1] !== 0) throw new Error(`the proxy ${proxy.host} cannot reach ${host}:${port} (SOCKS error ${head[1]})`);
  // What is left: the bound address (4 or 16 bytes, or a counted name, of which one byte is read) and a port.
  const length = head[3] === 1 ? 4 : head[3] === 4 ? 16 : (head[4] ?? 0) + 1;
  await readBytes(socket, length - 1 + 2);
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function credentials(proxy: URL): Buffer {
  return Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`);
}

function readBytes(socket: net.Socket, count: number): Promise<Buffer> {
  return readUntil(socket, (bytes) => (bytes.length >= count ? count : undefined));
}

/** Reads until `complete` says how many bytes belong together; the rest goes back. */
function readUntil(socket: net.Socket, complete: (bytes: Buffer) => number | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const length = complete(bytes);
      if (length !== undefined) {
        stop();
        socket.pause();
        if (bytes.length > length) socket.unshift(bytes.subarray(length));
        resolve(bytes.subarray(0, length));
      } else if (bytes.length > 16_384) onEnd();
    };
    const onEnd = (): void => {
      stop();
      reject(new Error('the proxy closed the connection'));
    };
    const onError = (error: Error): void => {
      stop();
      reject(error);
    };
    const stop = (): void => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
    };
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    socket.resume();
  });
}
