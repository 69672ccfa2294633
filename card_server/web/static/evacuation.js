// Ticking off in an evacuation: a tick shows at once, is kept on the phone (ids and times alone),
// and is sent as soon as there is a network.
(() => {
  "use strict";
  const RETRY_MS = 3000;
  const MOST_AT_ONCE = 200;
  const GONE_FOR_GOOD = [404, 409, 422];
  const place = document.getElementById("evacuation");
  const note = document.getElementById("unsent");

  if (!place) return;

  let isSending = false;
  let isRefused = false;
  let retry = null;

  const read = () => {
    try {
      return JSON.parse(localStorage.getItem(place.dataset.queue)) || [];
    } catch {
      return [];
    }
  };
  const keep = (ticks) => {
    if (ticks.length) localStorage.setItem(place.dataset.queue, JSON.stringify(ticks));
    else localStorage.removeItem(place.dataset.queue);
  };

  // What the server has not heard yet stands over what it said last.
  const show = () => {
    const ticks = read();
    place.querySelectorAll(".unsent").forEach((button) => button.classList.remove("unsent"));
    ticks.forEach(([student, isFound]) => {
      const button = place.querySelector(`[data-student="${student}"]`);
      if (!button) return;
      button.setAttribute("aria-pressed", isFound ? "true" : "false");
      button.classList.add("unsent");
    });
    note.hidden = !ticks.length && !isRefused;
    if (isRefused) note.textContent = note.dataset.refused;
    else if (ticks.length === 1) note.textContent = note.dataset.one;
    else if (ticks.length) note.textContent = note.dataset.many.replace("{number}", ticks.length);
  };

  const send = async () => {
    const ticks = read().slice(0, MOST_AT_ONCE);
    if (isSending || !ticks.length) return;
    isSending = true;
    const body = new URLSearchParams();
    ticks.forEach(([student, isFound, madeAt]) => {
      const age = Math.max(0, Math.round((Date.now() - madeAt) / 1000));
      body.append("tick", `${student}:${isFound ? 1 : 0}:${age}`);
    });
    const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), "X-Sent-By-Script": "1" };
    let status = 0;
    try {
      const answer = await fetch(place.dataset.ticks, { method: "POST", body, headers, redirect: "manual" });
      status = answer.type === "opaqueredirect" ? 401 : answer.status;
    } catch {
      // No network: what is kept is sent again.
    }
    isSending = false;
    settle(ticks, status);
  };

  const settle = (ticks, status) => {
    isRefused = status !== 204 && status !== 0 && status < 500;
    if (status === 204 || GONE_FOR_GOOD.includes(status)) {
      keep(read().slice(ticks.length));
      place.dispatchEvent(new Event("ticked"));
    }
    show();
    clearTimeout(retry);
    if (status === 204) send();
    else if (read().length) retry = setTimeout(send, RETRY_MS);
  };

  place.addEventListener("click", (event) => {
    const button = event.target.closest("[data-student]");
    if (!button || button.disabled) return;
    event.preventDefault();
    const isFound = button.getAttribute("aria-pressed") !== "true";
    keep([...read(), [Number(button.dataset.student), isFound ? 1 : 0, Date.now()]]);
    show();
    send();
  });

  document.body.addEventListener("htmx:afterSwap", show);
  window.addEventListener("online", send);
  show();
  send();
})();
