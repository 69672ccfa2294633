// Draws each chart from the table of figures that stands beside it, and again when that changes.
(() => {
  "use strict";
  if (!window.echarts) return;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // A canvas inherits nothing: it must be told the page's font by name.
  const font = () => getComputedStyle(document.body).fontFamily;

  const read = (table) => {
    const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
    return { heads, labels: rows.map((row) => row[0]), rows };
  };

  // A line across the chart at one of its labels, as where lateness begins.
  const line = (figure) =>
    figure.dataset.line && {
      silent: true, symbol: "none", data: [{ xAxis: figure.dataset.line }],
      lineStyle: { color: colour("--warn"), type: "dashed", width: 2 },
      label: {
        formatter: `${figure.dataset.lineLabel} ${figure.dataset.line}`,
        color: colour("--faint"), fontFamily: font(), position: "insideEndTop",
      },
    };

  const describe = (figure) => {
    const { heads, labels, rows } = read(figure.querySelector("table"));
    const colours = ["--brand", "--calm", "--warn", "--bad"].map(colour);
    const quiet = { color: colour("--faint"), fontFamily: font() };
    return {
      animation: !still.matches,
      color: colours,
      grid: { left: 4, right: 8, top: heads.length > 1 ? 32 : 12, bottom: 4, containLabel: true },
      legend: heads.length > 1 ? { textStyle: quiet, top: 0 } : undefined,
      // As text on the canvas: the page's policy allows no style inside markup.
      tooltip: {
        trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" },
        textStyle: { fontFamily: font() },
      },
      xAxis: {
        type: "category", data: labels, axisLabel: quiet, axisTick: { show: false },
        axisLine: { lineStyle: { color: colour("--line") } },
      },
      yAxis: {
        // A line alone shows how it moves, be it far from 0.
        scale: figure.dataset.chart === "line" && heads.length === 1,
        type: "value", minInterval: 1, axisLabel: quiet,
        splitLine: { lineStyle: { color: colour("--line") } },
      },
      series: heads.map((name, at) => ({
        name, type: figure.dataset.chart, barCategoryGap: "15%", symbol: "circle", symbolSize: 7,
        data: rows.map((row) => Number(row[at + 1])),
        markLine: at === 0 ? line(figure) : undefined,
      })),
    };
  };

  const draw = () =>
    document.querySelectorAll("figure[data-chart]").forEach((figure) => {
      const plot = figure.querySelector(".plot");
      if (!plot) return;
      if (plot.childElementCount === 0) plot.replaceChildren(document.createElement("div"));
      const surface = plot.firstElementChild;
      surface.className = "surface";
      const chart = window.echarts.getInstanceByDom(surface) ?? window.echarts.init(surface);
      chart.setOption(describe(figure), true);
    });

  const resize = () =>
    document.querySelectorAll("figure[data-chart] .surface").forEach((surface) => {
      window.echarts.getInstanceByDom(surface)?.resize();
    });

  document.body.addEventListener("htmx:afterSettle", draw);
  window.addEventListener("resize", resize);
  dark.addEventListener("change", draw);
  draw();
})();
