// The card tray: a click or a drop holds a card to a reader; the reader's light shows the answer.
(() => {
  "use strict";
  const LIGHT_MS = 4000;
  const { tap: address, csrf } = document.body.dataset;
  const announcer = document.getElementById("announce");
  const cards = document.getElementById("cards");
  const timers = new WeakMap();

  const chosenReader = () => document.querySelector("input[name=reader]:checked")?.closest(".reader");

  const light = (reader, signal, text) => {
    const says = reader.querySelector(".reader-says");
    reader.dataset.signal = signal;
    says.textContent = text;
    clearTimeout(timers.get(reader));
    timers.set(reader, setTimeout(() => {
      delete reader.dataset.signal;
      says.textContent = says.dataset.idle;
    }, LIGHT_MS));
  };

  const hold = async (uid, reader) => {
    const name = reader.querySelector(".reader-name").firstChild.textContent.trim();
    const body = new URLSearchParams({ uid, reader: reader.dataset.reader });
    let answer = { signal: "error", text: announcer.dataset.broken };
    try {
      const response = await fetch(address, {
        method: "POST", body, headers: { "X-CSRFToken": csrf, Accept: "application/json" },
      });
      if (response.headers.get("Content-Type")?.startsWith("application/json")) {
        answer = await response.json();
      }
    } catch {
      // The text for a server that does not answer is already there.
    }
    const text = answer.milliseconds === undefined
      ? answer.text : `${answer.text} · ${answer.milliseconds} ms`;
    light(reader, answer.signal, text);
    announcer.textContent = `${name}: ${answer.text}`;
  };

  cards.addEventListener("click", (event) => {
    const card = event.target.closest(".card");
    const reader = chosenReader();
    if (card && reader) hold(card.dataset.uid, reader);
  });
  cards.addEventListener("dragstart", (event) => {
    const card = event.target.closest(".card");
    if (card) event.dataTransfer.setData("text/plain", card.dataset.uid);
  });
  document.querySelectorAll(".reader").forEach((reader) => {
    reader.addEventListener("dragover", (event) => {
      event.preventDefault();
      reader.classList.add("over");
    });
    reader.addEventListener("dragleave", () => reader.classList.remove("over"));
    reader.addEventListener("drop", (event) => {
      event.preventDefault();
      reader.classList.remove("over");
      reader.querySelector("input").checked = true;
      hold(event.dataTransfer.getData("text/plain"), reader);
    });
  });
})();
