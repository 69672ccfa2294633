// Draws a weekday's bar again while staff type its hours; templates/parts/day_bar.html is the same.
(() => {
  "use strict";
  const form = document.querySelector("form[data-hours]");
  const bar = document.querySelector("#bar g");
  if (!form || !bar) return;

  const FIRST = 6 * 60;
  const LAST = 22 * 60;

  const minute = (name, place) => {
    const found = /^(\d{1,2}):(\d{2})$/.exec(form.elements[`${name}-${place}`]?.value ?? "");
    return found ? Number(found[1]) * 60 + Number(found[2]) : null;
  };

  const span = (style, from, until, top, high) => {
    if (from === null || until === null) return [];
    const left = Math.min(Math.max(from, FIRST), LAST) - FIRST;
    const right = Math.min(Math.max(until, FIRST), LAST) - FIRST;
    if (right <= left) return [];
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const shape = { class: style, x: left, y: top, width: right - left, height: high };
    Object.entries(shape).forEach(([name, value]) => rect.setAttribute(name, value));
    return [rect];
  };

  const session = (place) => {
    const [arrive, late, absent, leave, ends] =
      ["arrive_from", "late_after", "absent_after", "leave_from", "ends"].map((name) => minute(name, place));
    const isForAll = (form.elements[`for_whom-${place}`]?.value ?? "everybody") === "everybody";
    return [
      ...span("bar-arrive", arrive, late, 14, 12),
      ...span(isForAll ? "bar-session" : "bar-session bar-some", late, leave, 6, 28),
      ...span("bar-late", late, absent, 6, 8),
      ...span("bar-leave", leave, ends, 14, 12),
    ];
  };

  const draw = () => {
    const places = [...form.querySelectorAll("[data-place]")].map((one) => one.dataset.place);
    bar.replaceChildren(...places.flatMap(session));
  };

  form.addEventListener("input", draw);
  draw();
})();
