// The small pieces of every page: filters that send themselves, dialogs, menus, printing.
(() => {
  "use strict";

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  document.addEventListener("click", (event) => {
    const opens = event.target.closest("[data-opens]");
    const closes = event.target.closest("[data-closes]");
    if (opens) document.getElementById(opens.dataset.opens).showModal();
    if (closes) document.getElementById(closes.dataset.closes).close();
    if (event.target.matches("dialog")) event.target.close();
    if (event.target.closest("[data-prints]")) window.print();
    event.target.closest("[data-dismisses]")?.closest(".toast").remove();
    document.querySelectorAll("[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("[data-menu][open]").forEach((menu) => {
      menu.open = false;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    });
  });

  // On a phone the navigation and a month are wider than the screen: begin where one is.
  const NAVIGATION = ".sections, .tabs.under-top";
  const beginHere = (rows) =>
    document.querySelectorAll(rows).forEach((row) => {
      const here = row.querySelector("[aria-current]");
      if (here) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
    });
  window.addEventListener("resize", () => beginHere(NAVIGATION));
  beginHere(`${NAVIGATION}, .grid-scroll`);

  // A form that came back with something wrong begins at what is wrong.
  document.querySelector(".wrong.summary")?.focus();
})();
