import Fastify from "fastify";
import { once } from "node:events";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createAnswerBuffers } from "../../src/http/answer-buffers.ts";

const SIZE = 60_000;
const REQUESTS = 300;

/** A server whose answers are so many times one digit, in lent memory, and the different pieces of memory it lent. */
async function lender() {
  const buffers = createAnswerBuffers();
  const seen = new Set<ArrayBufferLike>();
  const app = Fastify();
  app.get<{ Params: { n: string; bytes: string } }>("/:n/:bytes", (request, reply) => {
    const size = Number(request.params.bytes);
    const bytes = buffers.lend(reply, size).subarray(0, size);
    seen.add(bytes.buffer);
    return reply.send(bytes.fill(request.params.n));
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  onTestFinished(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const open = () => {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    return socket;
  };
  return { open, seen };
}

async function bodies(socket: Socket, count: number, size: number): Promise<string[]> {
  let text = "";
  const found: string[] = [];
  for await (const piece of socket.setEncoding("latin1")) {
    text += piece as string;
    for (
      let end = text.indexOf("\r\n\r\n");
      end >= 0 && text.length >= end + 4 + size;
      end = text.indexOf("\r\n\r\n")
    ) {
      found.push(text.slice(end + 4, end + 4 + size));
      text = text.slice(end + 4 + size);
    }
    if (found.length === count) break;
  }
  return found;
}

test("memory is not lent again before a client that reads late has its answer", async () => {
  const { open } = await lender();
  const slow = open();
  slow.pause();
  const ask = (n: number) => `GET /${n % 10}/${SIZE} HTTP/1.1\r\nHost: x\r\n\r\n`;
  // After each of its requests another client asks, and takes whatever is free.
  for (let n = 0; n < REQUESTS; n++) {
    slow.write(ask(n));
    const quick = open();
    quick.write(ask(n + 5));
    expect(await bodies(quick, 1, SIZE)).toEqual([String((n + 5) % 10).repeat(SIZE)]);
  }
  slow.resume();
  const got = await bodies(slow, REQUESTS, SIZE);
  expect(got.map((body) => new Set(body).size)).toEqual(got.map(() => 1));
  expect(got.map((body) => body[0])).toEqual(Array.from({ length: REQUESTS }, (_, n) => String(n % 10)));
});

test("memory is used again once it was sent, and what is large has its own", async () => {
  const { open, seen } = await lender();
  const socket = open();
  const answers = socket.setEncoding("latin1");
  for (let n = 0; n < 5; n++) {
    socket.write(`GET /${n}/1000 HTTP/1.1\r\nHost: x\r\n\r\n`);
    let text = "";
    while (!text.endsWith(String(n).repeat(1_000))) text += String((await once(answers, "data"))[0]);
  }
  expect(seen.size).toBe(1);
  const large = open();
  large.write("GET /7/200000 HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(await bodies(large, 1, 200_000)).toEqual(["7".repeat(200_000)]);
  expect(seen.size).toBe(2);
});
