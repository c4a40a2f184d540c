// server.js - a WebSocket server that nobody here wrote, the npm package ws, over TLS on loopback.
//
// It reads one line of JSON from its input, { "certificate": PEM, "key": PEM }, prints its port, and
// ends when its input ends. What it does with a conn is said by the path of the url.
'use strict';
const https = require('https');
const readline = require('readline');
const { WebSocketServer } = require('ws');

const plain = new WebSocketServer({ noServer: true });
const deaf = new WebSocketServer({ noServer: true, autoPong: false });
const deflating = new WebSocketServer({
  noServer: true,
  perMessageDeflate: { threshold: 0 },
});
for (const server of [plain, deaf, deflating]) {
  server.on('headers', (headers) => headers.push('X-Test: v1'));
}

// The TCP conns below TLS, which alone can be reset.
const connections = new Map();

// By the first part of the path; the second is an argument.
const manners = {
  echo: (conn) => conn.on('message', (data, binary) => conn.send(data, { binary })),
  fragments: (conn) =>
    conn.on('message', () => {
      for (let i = 0; i < 50; i++) {
        conn.send(`part ${i} `, { fin: i === 49 });
      }
    }),
  large: (conn, size) => conn.on('message', () => conn.send('x'.repeat(Number(size)))),
  close: (conn, code) => conn.on('message', () => conn.close(Number(code), 'as asked')),
  terminate: (conn) => conn.on('message', () => conn.terminate()),
  ping: (conn) => {
    conn.on('pong', (data) => conn.send(`pong ${data}`));
    conn.ping('are you there');
  },
  headers: (conn, name, request) => conn.send(`${request.headers[name]}`),
  deflated: (conn) => conn.on('message', (data) => conn.send(`${conn.extensions} ${data}`)),
  // One message in fifty kills the conn instead of being answered, in one of three ways.
  mortal: (conn) => {
    conn.on('message', (data) => {
      const throwOf150 = Math.floor(Math.random() * 150);
      if (throwOf150 === 0) {
        conn.terminate();
      } else if (throwOf150 === 1) {
        conn.close(1011, 'out of luck');
      } else if (throwOf150 === 2) {
        connections.get(conn._socket.remotePort).resetAndDestroy();
      } else {
        conn.send(data.toString());
      }
    });
  },
};

function upgrade(request, socket, head) {
  const [, manner, argument] = request.url.split('/');
  if (manner === 'refuse') {
    const body = '{"error":"busy"}';
    socket.end(
      `HTTP/1.1 ${argument} Busy\r\nRetry-After: 7\r\nX-Test: v2\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    );
    return;
  }
  const server = manner === 'deaf' ? deaf : manner === 'deflated' ? deflating : plain;
  server.handleUpgrade(request, socket, head, (conn) => {
    conn.on('error', () => {});
    manners[manner]?.(conn, argument, request);
  });
}

const input = readline.createInterface({ input: process.stdin });
input.once('line', (line) => {
  const { certificate, key } = JSON.parse(line);
  const server = https.createServer({ cert: certificate, key });
  server.on('connection', (socket) => {
    const port = socket.remotePort;
    connections.set(port, socket);
    socket.on('close', () => connections.delete(port));
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.on('upgrade', upgrade);
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
});
input.once('close', () => process.exit(0));
