import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** The other end of the socket: what it is told, and what the test has it answer. */
export class Peer {
  readonly lines: string[] = [];
  answer: (line: string) => string = () => 'ok';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.setEncoding('utf8');
      let rest = '';
      socket.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          this.lines.push(line);
          socket.write(`${this.answer(line)}\n`);
        }
      });
    });
  }

  async listen(path: string): Promise<void> {
    this.#server.listen(path);
    await once(this.#server, 'listening');
  }

  disconnect(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  close(): void {
    this.#server.close();
    this.disconnect();
  }
}
