// The search in the bar by keyboard: / or Ctrl+K, arrows, Enter, Escape.
(() => {
  "use strict";
  const form = document.querySelector("[data-finder]");
  if (!form) return;
  const input = form.querySelector("input[type=search]");
  const box = document.getElementById("finder-found");

  const options = () => [...box.querySelectorAll("[role=option]")];
  const chosen = () => box.querySelector("[aria-selected=true]");

  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    return input.setAttribute("aria-activedescendant", option.id);
  };

  const settle = () => {
    const isOpen = box.childElementCount > 0;
    input.setAttribute("aria-expanded", String(isOpen));
    if (!box.querySelector("[role=listbox]")) input.removeAttribute("aria-controls");
    else input.setAttribute("aria-controls", "finder-list");
  };

  const close = () => {
    box.replaceChildren();
    choose(null);
    settle();
  };

  const move = (step) => {
    const all = options();
    if (!all.length) return;
    const at = all.indexOf(chosen());
    const next = at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length;
    choose(all[next]);
  };

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  settle();

  box.addEventListener("htmx:afterSettle", () => {
    settle();
    choose(options()[0]);
  });

  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      window.location.assign(chosen().href);
      close();
    } else if (event.key === "Escape") {
      event.preventDefault();
      input.value = "";
      close();
      input.blur();
    }
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const asks = (event.key === "/" && !typing) || (event.key.toLowerCase() === "k" && event.ctrlKey);
    if (!asks || event.altKey || event.metaKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });

  document.addEventListener("focusin", (event) => {
    if (!form.contains(event.target)) close();
  });
  document.addEventListener("click", (event) => {
    if (!form.contains(event.target)) close();
  });
})();
