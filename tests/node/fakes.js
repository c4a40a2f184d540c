// fakes.js - the npm package ws as a client of `poolproof serve`: node fakes.js URL_OF_DEFAULT URL_OF_SILENT
// URL_OF_PLAIN URL_OF_SHORT, with the authority in the file that NODE_EXTRA_CA_CERTS names.
//
// Prints a line for each thing that was seen; what it waits for and never comes ends with an error
// after a minute.
'use strict';
const WebSocket = require('ws');
const [mainUrl, silentUrl, plainUrl, shortUrl] = process.argv.slice(2);

const patience = setTimeout(() => {
  console.log('FAIL: what was waited for did not come');
  process.exit(1);
}, 60000);

function dial(url) {
  const conn = new WebSocket(url);
  return new Promise((resolve) => {
    conn.on('upgrade', (answer) => { conn.answer = answer.headers; });
    conn.on('open', () => resolve(conn));
    conn.on('unexpected-response', (request, answer) => {
      let body = '';
      answer.on('data', (data) => { body += data; });
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body }));
    });
    conn.on('error', (error) => resolve({ error: error.message }));
  });
}

const next = (conn, what) => new Promise((resolve) => conn.once(what, (...all) => resolve(all)));

async function main() {
  const refused = await dial(mainUrl);
  console.log(`refused ${refused.status} ${refused.headers['retry-after']} ${refused.body}`);

  const conn = await dial(mainUrl);
  console.log(`open ${conn.answer['x-test']}`);
  for (let i = 0; i < 2; i++) {
    const answer = next(conn, 'message');
    conn.send(JSON.stringify({ question: i }));
    console.log(`answer ${(await answer)[0]}`);
  }
  const large = next(conn, 'message');
  conn.send('x'.repeat(1024 * 1024));
  console.log(`answer ${(await large)[0]}`);
  const pong = next(conn, 'pong');
  conn.ping('are you there');
  console.log(`pong ${(await pong)[0]}`);
  const end = next(conn, 'close');
  conn.close(4000, 'enough');
  console.log(`closed ${(await end)[0]}`);

  const silent = await dial(silentUrl);
  let ponged = false;
  silent.on('pong', () => { ponged = true; });
  silent.ping();
  silent.send('{}');
  const [data] = await next(silent, 'message');
  console.log(`answer ${data} without a pong: ${!ponged}`);
  silent.terminate();

  const first = await dial(plainUrl);
  const second = await dial(plainUrl);
  console.log(`second ${second.status}`);
  first.terminate();

  const short = await dial(shortUrl);
  const [code, reason] = await next(short, 'close');
  console.log(`closed ${code} ${reason}`);
  clearTimeout(patience);
}

main();
