// What a live page needs beside htmx: it says how its connection is, notices a server that died without a word,
// keeps the list short, and lets the link to older events begin where the list ends.

const PATIENCE = 1200; // a connection that is back within this time was not worth a word
const RETRY = 2000;

let stream = null; // the hx-sse connection of the page
let heard = 0; // when the stream last said something
let noticing = null;

function say(text) {
  const notice = document.getElementById("notice");
  notice.textContent = text;
  notice.hidden = !text;
}

function broken(text = "Reconnecting…") {
  if (noticing === null) noticing = setTimeout(() => say(text), PATIENCE);
}

function well() {
  clearTimeout(noticing);
  noticing = null;
  say("");
}

function pulse(state, text) {
  const mark = document.getElementById("pulse");
  if (!mark) return;
  mark.dataset.state = state;
  const words = document.getElementById("pulse-text");
  if (words.textContent !== text) words.textContent = text;
}

function shorten(rows) {
  const most = Number(rows.dataset.most);
  const older = document.getElementById("older");
  if (rows.rows.length <= most) return;
  while (rows.rows.length > most) rows.lastElementChild.remove();
  const address = new URL(older.href);
  address.searchParams.set("before", rows.lastElementChild.dataset.serial);
  older.href = address.href;
  older.hidden = false;
}

// What shows a stream: the list of events, or the logical host.
const shower = () => document.querySelector("[data-silence]");

// The stream.
document.addEventListener("htmx:sse:after:connection", (event) => {
  stream = event.detail.connection;
  heard = Date.now();
});
document.addEventListener("htmx:sse:before:message", () => (heard = Date.now()));
document.addEventListener("state", (event) => {
  if (event.detail.data === "live") {
    well();
    pulse("live", "live");
  } else {
    broken("The IM database is away; waiting for it…");
    pulse("away", "waiting for the IM database");
  }
});
document.addEventListener("htmx:sse:before:connection", (event) => {
  if (event.detail.connection.attempt > 0) lost();
});
document.addEventListener("htmx:sse:error", (event) => {
  if (event.detail.status === 401) location.reload();
  lost();
});
document.addEventListener("htmx:after:swap", () => {
  const rows = document.getElementById("rows");
  if (rows) shorten(rows);
});

function lost() {
  pulse("lost", "reconnecting…");
  broken();
}

setInterval(() => {
  const place = shower();
  if (!place?.hasAttribute("hx-sse:connect") || document.hidden) return;
  // A server that lost its power says nothing at all: the browser would wait for it for minutes.
  if (stream?.reader && Date.now() - heard > Number(place.dataset.silence)) {
    heard = Date.now();
    lost();
    stream.reader.cancel();
  }
}, 1000);

// Requests that fail: the first one of a stream, a filter's.
document.addEventListener("htmx:error", (event) => {
  const source = event.detail.ctx?.sourceElement ?? event.target;
  if (source === shower()) unreached(source);
  if (source.id === "filter") broken("The console does not answer; try again.");
});
document.addEventListener("htmx:response:error", (event) => {
  const { sourceElement: source, request, response } = event.detail.ctx;
  if (response.status === 401) return; // the answer itself leads to the log-in page
  if (source.id === "filter") location.assign(request.action); // a page that says what is wrong
  if (source === shower()) unreached(source);
});
document.addEventListener("htmx:after:request", (event) => {
  if (event.detail.ctx?.response?.status < 400) well();
});

function unreached(place) {
  lost();
  setTimeout(() => {
    if (place.isConnected && !place._htmx?.sse) htmx.trigger(place, "again");
  }, RETRY);
}
