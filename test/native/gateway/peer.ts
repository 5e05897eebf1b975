/**
 * Both ends of the connections that the gateway's tests make, run in the network namespaces of pods,
 * the node and the runner.
 *
 *   peer serve NAME PORT...     TCP and UDP; prints "ready" once all listen
 *   peer tcp HOST PORT COUNT    COUNT connections one after the other
 *   peer crowd HOST PORT COUNT  COUNT connections at once, each kept until all have been answered
 *   peer bulk HOST PORT BYTES   sends BYTES and gets them back
 *   peer hold HOST PORT FILE    one connection, which makes FILE.held; used again when FILE is there
 *   peer early PORT             answers HTTP 413 to whoever sends, and closes without reading on
 *   peer silent HOST PORT FILE  like hold, but sends and reads nothing; tells how it ended
 *   peer flood HOST PORT COUNT FILE  COUNT connections, made as fast as they go and kept until FILE is
 *                               there; FILE.held when all were tried; how they ended
 *   peer scatter HOST PORT COUNT COUNT datagrams, each from a socket of its own that is not read
 *   peer greedy HOST PORT FILE  asks for its own 8 MB back, and reads none of them until FILE is there
 *   peer udp HOST PORT COUNT    COUNT datagrams, each from a socket of its own
 *   peer big HOST PORT BYTES    one datagram of so many bytes; how many came back
 *   peer flow HOST PORT FILE    two datagrams from one socket, and a third when FILE is there
 *   peer reach HOST PORT        which of TCP and UDP are answered within three seconds
 *   peer dns HOST NAME          the address of NAME, over UDP and over TCP
 *   peer resolver PORT...       DNS on 127.0.0.1: the address of a name is 10.0.0.N, N how many ports
 *                               asked so far; is silent about names that begin with "silent"
 *   peer questions HOST NAME COUNT  asks for NAME one time after the other, over UDP; the answers
 *   peer swarm HOST NAME COUNT  asks COUNT times at once, and waits for no answer
 *   peer proxy PORT TARGET AUTHORIZATION  an HTTP proxy on 127.0.0.1: whatever place is asked for, its
 *                               tunnels lead to 127.0.0.1:TARGET; refuses port 9, and whoever lacks
 *                               the Proxy-Authorization
 *   peer addresses              the addresses of the links
 *   peer control SOCKET FILE    sends FILE to the gateway; prints its answers, a line each
 *
 * The others print one line of JSON.
 */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createConnection, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const [mode = '', ...args] = process.argv.slice(2);
const [host = '', portText = '', last = ''] = args;
const port = Number(portText);
const count = Number(last);

/** What is dropped on its way is waited for no longer. */
const REACH_MS = 3000;
/** What is kept open is so while the test does other things. */
const HOLD_MS = 120_000;

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error);

/** Serves `PING`, answered with its name and the client's address, and `ECHO`, answered with itself. */
function answer(name: string, socket: Socket) {
  socket.on('error', () => undefined);
  socket.once('data', (first) => {
    if (first.subarray(0, 4).toString() === 'ECHO') {
      socket.write(first);
      socket.pipe(socket);
      return;
    }
    const say = () => socket.write(`${name} ${String(socket.remoteAddress)}\n`);
    say();
    socket.on('data', say);
    socket.on('end', () => socket.end());
  });
}

async function serve(name: string, ports: readonly number[]) {
  for (const at of ports) {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      answer(name, socket);
    });
    server.listen({ port: at, host: '0.0.0.0', backlog: 4096 });
    const datagrams = createSocket('udp4');
    datagrams.on('message', (_message, from) => {
      datagrams.send(`${name} ${from.address}`, from.port, from.address);
    });
    datagrams.bind(at, '0.0.0.0');
    await Promise.all([once(server, 'listening'), once(datagrams, 'listening')]);
  }
  console.log('ready');
}

async function connect(patience = 20_000): Promise<Socket> {
  const socket = createConnection({ host, port, noDelay: true });
  socket.setTimeout(patience, () => socket.destroy(new Error('timeout')));
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket): Promise<string> {
  socket.write('PING');
  const [chunk] = (await Promise.race([
    once(socket, 'data'),
    once(socket, 'end').then(() => Promise.reject(new Error('ended without an answer'))),
  ])) as [Buffer];
  return chunk.toString().trim();
}

async function ping(patience?: number): Promise<string> {
  try {
    const socket = await connect(patience);
    const reply = await ask(socket);
    socket.destroy();
    return reply;
  } catch (error) {
    return codeOf(error);
  }
}

/** `tcp`, `udp`, both or none of them: by what an answer came. */
async function reach() {
  const socket = await open();
  const replies = await Promise.all([ping(REACH_MS), datagram(socket)]);
  socket.close();
  const came = (reply: string | undefined) => /^\S+ [\d.]+$/.test(reply ?? '');
  return ['tcp', 'udp'].filter((_, index) => came(replies[index])).join(' ');
}

async function crowd() {
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = await connect();
      return { socket, reply: await ask(socket) };
    }),
  );
  const again = await Promise.all(sockets.map(({ socket }) => ask(socket)));
  for (const { socket } of sockets) socket.destroy();
  return tally([...sockets.map(({ reply }) => reply), ...again]);
}

/** Reads slower than the other end writes, so that back-pressure has to go all the way. */
async function bulk() {
  const socket = await connect();
  const [sent, received] = [createHash('sha256'), createHash('sha256')];
  const block = Buffer.alloc(64 * 1024);
  let got = 0;
  const reading = (async () => {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received.update(chunk);
      got += chunk.length;
      if (got % 7 === 0) await delay(1);
    }
  })();
  block.write('ECHO');
  for (let left = count; left > 0; left -= block.length) {
    const part = block.subarray(0, Math.min(left, block.length));
    sent.update(part);
    // Until it is written it is the socket's; a last part that is small asks for no drain.
    await new Promise((written) => socket.write(part, written));
    block.writeUInt32LE(left >>> 0, 8);
  }
  socket.end();
  await reading;
  return { got, same: sent.digest('hex') === received.digest('hex') };
}

async function hold() {
  const socket = await connect(HOLD_MS);
  const before = await ask(socket);
  writeFileSync(`${last}.held`, '');
  while (!existsSync(last)) await delay(50);
  const after = await ask(socket);
  socket.destroy();
  return { before, after };
}

/** Answers as soon as a request begins, as a server does that takes no such upload. */
async function early() {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.pause();
      const answer = 'HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
      socket.write(answer, () => {
        // With bytes unread in it, to close the socket is to reset the connection.
        socket.destroy();
      });
    });
  });
  server.listen(Number(host), '0.0.0.0');
  await once(server, 'listening');
  console.log('ready');
}

async function silent() {
  const socket = await connect(HOLD_MS);
  writeFileSync(`${last}.held`, '');
  const [error] = (await Promise.race([
    once(socket, 'error'),
    once(socket, 'close').then(() => [new Error('closed')]),
  ]).catch((error: unknown) => [error])) as [unknown];
  return codeOf(error);
}

/** How many of them are begun and not yet made. */
const FLOOD_WIDTH = 500;

async function flood() {
  const [file = ''] = args.slice(3);
  const sockets = new Set<Socket>();
  const outcomes: string[] = [];
  const one = () =>
    new Promise<void>((resolve) => {
      const socket = createConnection({ host, port });
      socket.on('error', (error) => {
        outcomes.push(codeOf(error));
        sockets.delete(socket);
        resolve();
      });
      socket.once('connect', () => {
        sockets.add(socket);
        resolve();
      });
    });
  let left = count;
  const lane = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: FLOOD_WIDTH }, lane));
  writeFileSync(`${file}.held`, '');
  while (!existsSync(file)) await delay(50);
  const held = sockets.size;
  // A server that was sent nothing answers no end: only a reset is the end of both sides.
  for (const socket of sockets) socket.resetAndDestroy();
  return { held, ...tally(outcomes) };
}

async function scatter() {
  for (let sent = 0; sent < count; sent += 100) {
    const sockets = Array.from({ length: 100 }, () => createSocket('udp4'));
    await Promise.all(
      sockets.map(
        (socket) =>
          new Promise((resolve) => {
            socket.send('PING', port, host, resolve);
          }),
      ),
    );
    for (const socket of sockets) socket.close();
  }
  return count;
}

async function greedy() {
  const socket = await connect(HOLD_MS);
  socket.pause();
  socket.write('ECHO');
  socket.write(Buffer.alloc(8_000_000));
  writeFileSync(`${last}.held`, '');
  while (!existsSync(last)) await delay(50);
  socket.destroy();
  return socket.bytesWritten;
}

async function datagram(socket: ReturnType<typeof createSocket>): Promise<string> {
  const reply = once(socket, 'message', { signal: AbortSignal.timeout(REACH_MS) }) as Promise<
    [Buffer]
  >;
  socket.send('PING');
  try {
    return (await reply)[0].toString();
  } catch (error) {
    return codeOf(error);
  }
}

async function open() {
  const socket = createSocket('udp4');
  socket.connect(port, host);
  await once(socket, 'connect');
  return socket;
}

async function udp() {
  const replies: string[] = [];
  for (let i = 0; i < count; i++) {
    const socket = await open();
    replies.push(await datagram(socket));
    socket.close();
  }
  return tally(replies);
}

async function big() {
  const socket = await open();
  const reply = once(socket, 'message', { signal: AbortSignal.timeout(REACH_MS) });
  socket.send(Buffer.alloc(count, 'x'));
  const size = await reply.then(([message]) => (message as Buffer).length, codeOf);
  socket.close();
  return size;
}

async function flow() {
  const socket = await open();
  const replies = [await datagram(socket), await datagram(socket)];
  while (!existsSync(last)) await delay(50);
  replies.push(await datagram(socket));
  socket.close();
  return replies;
}

async function dns() {
  // A datagram may be lost where thousands arrive at once: resolvers ask again.
  const resolver = new Resolver({ timeout: 3000, tries: 2 });
  resolver.setServers([host]);
  const overUdp = await resolver.resolve4(portText).catch(codeOf);
  return { udp: overUdp, tcp: await dnsOverTcp(portText).catch(codeOf) };
}

/** A question for A records in the form RFC 1035 gives it. */
function question(id: number, name: string): Buffer {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  const message = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
  message.writeUInt16BE(id);
  return message;
}

/** The answer's code and count of answers. */
async function dnsOverTcp(name: string) {
  const message = question(0x1234, name);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(message.length);
  const socket = createConnection({ host, port: 53 });
  socket.write(Buffer.concat([size, message]));
  const [reply] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return {
    id: reply.readUInt16BE(2),
    code: reply.readUInt8(5) & 15,
    answers: reply.readUInt16BE(8),
  };
}

async function resolver() {
  const asked = new Set<number>();
  for (const at of [host, ...args.slice(1)].map(Number)) {
    const socket = createSocket('udp4');
    socket.on('message', (message, from) => {
      asked.add(from.port);
      if (message.toString('latin1', 13).startsWith('silent')) return;
      const question = message.subarray(12, message.indexOf(0, 12) + 5);
      const reply = Buffer.concat([
        message.subarray(0, 2),
        Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]),
        question,
        Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 0, 0, asked.size]),
      ]);
      socket.send(reply, from.port, from.address);
    });
    socket.bind(at, '127.0.0.1');
    await once(socket, 'listening');
  }
  console.log('ready');
}

async function proxy() {
  const server = createHttpServer();
  server.on('connect', (request, client: Socket) => {
    client.on('error', () => undefined);
    if (request.headers['proxy-authorization'] !== last || request.url?.endsWith(':9') === true) {
      client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const target = createConnection({ host: '127.0.0.1', port });
    target.on('error', () => client.destroy());
    target.on('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(target).pipe(client);
    });
  });
  server.listen(Number(host), '127.0.0.1');
  await once(server, 'listening');
  console.log('ready');
}

async function questions() {
  const client = new Resolver({ timeout: 8000, tries: 3 });
  client.setServers([host]);
  const answers: string[] = [];
  for (let i = 0; i < count; i++) {
    answers.push(await client.resolve4(portText).then((found) => found.join(' '), codeOf));
  }
  return tally(answers);
}

async function swarm() {
  const socket = createSocket('udp4');
  socket.connect(53, host);
  await once(socket, 'connect');
  for (let i = 0; i < count; i++) {
    const message = question(i, portText);
    await new Promise((sent) => {
      socket.send(message, sent);
    });
  }
  socket.close();
  return count;
}

function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** As many answers as the file has lines. */
async function control() {
  const lines = readFileSync(portText, 'utf8');
  const socket = createConnection({ path: host });
  socket.write(lines);
  let answers = '';
  for await (const chunk of socket) {
    answers += String(chunk);
    if (answers.split('\n').length >= lines.split('\n').length) break;
  }
  process.stdout.write(answers);
}

function addresses() {
  const links = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return Promise.resolve(links.map(({ address }) => address));
}

async function oneByOne() {
  const replies: string[] = [];
  for (let i = 0; i < count; i++) replies.push(await ping());
  return tally(replies);
}

const clients: Record<string, () => Promise<unknown>> = {
  tcp: oneByOne,
  reach,
  crowd,
  bulk,
  hold,
  silent,
  flood,
  scatter,
  greedy,
  udp,
  big,
  flow,
  dns,
  questions,
  swarm,
  addresses,
};

if (mode === 'serve') await serve(host, args.slice(1).map(Number));
else if (mode === 'early') await early();
else if (mode === 'resolver') await resolver();
else if (mode === 'proxy') await proxy();
else if (mode === 'control') await control();
else console.log(JSON.stringify(await clients[mode]?.()));
