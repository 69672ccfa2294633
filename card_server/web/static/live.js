// Keeps a page live: hears what changed, tells its parts to fetch themselves, says when it cannot.
(() => {
  "use strict";
  const CHANGES = ["taps", "messages", "readers", "jobs", "evacuation", "judged", "staff"];
  const POLL_MS = 5000;
  const SILENT_MS = 25000;
  const address = document.body.dataset.live;
  const note = document.getElementById("live-note");
  let source = null;
  let polling = null;
  let silence = null;

  if (!address) return;

  const announce = (change) => document.body.dispatchEvent(new Event(`live:${change}`));
  const refresh = () => CHANGES.forEach(announce);

  const say = (text) => {
    note.hidden = !text;
    if (text && note.textContent !== text) note.textContent = text;
  };

  const hear = () => {
    clearTimeout(silence);
    silence = setTimeout(lose, SILENT_MS);
  };

  const connect = () => {
    if (source) source.close();
    source = new EventSource(address);
    source.onopen = () => {
      hear();
      say("");
      clearInterval(polling);
      polling = null;
    };
    source.onerror = lose;
    source.addEventListener("heartbeat", hear);
    CHANGES.forEach((change) =>
      source.addEventListener(change, () => {
        hear();
        announce(change);
      }),
    );
  };

  const leave = () => {
    clearTimeout(silence);
    if (source) source.close();
    source = null;
  };

  // The browser's own reconnecting gives up on a 503, so trying again is done here.
  function lose() {
    leave();
    if (polling || document.hidden) return;
    say(note.dataset.lost);
    polling = setInterval(() => {
      refresh();
      connect();
    }, POLL_MS);
  }

  // A page that nobody looks at holds no connection.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      leave();
      clearInterval(polling);
      polling = null;
    } else {
      refresh();
      connect();
    }
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (polling) say(event.detail.successful ? note.dataset.polling : note.dataset.lost);
  });

  // What somebody has unfolded stays so when its part of the page comes again, and whoever is on a
  // link stays on it: HTMX itself keeps the focus of what has an id alone.
  let unfolded = [];
  let link = null;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { target } = event.detail;
    const focused = target.contains(document.activeElement) ? document.activeElement : null;
    unfolded = [...target.querySelectorAll("details[id][open]")].map((one) => one.id);
    link = focused && !focused.id ? focused.getAttribute("href") : null;
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    unfolded.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    if (!link || document.activeElement !== document.body) return;
    const links = [...event.detail.target.querySelectorAll("a[href]")];
    links.find((one) => one.getAttribute("href") === link)?.focus({ preventScroll: true });
  });

  window.addEventListener("pagehide", leave);
  connect();
})();
