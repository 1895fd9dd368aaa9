// What a page of the site does beyond showing itself: theme, type size, code on and off, charts, contents.
(() => {
  "use strict";

  const root = document.documentElement;

  // file:// pages may be refused storage; the page then forgets, and still works.
  const store = {
    get(key) { try { return localStorage.getItem("notebook-" + key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem("notebook-" + key, value); } catch { /* forgotten */ } },
  };

  // Before the first paint. A query such as ?theme=dark wins, for links and for screenshots.
  const query = new URLSearchParams(location.search);
  for (const key of ["theme", "size", "code"]) {
    const value = query.get(key) ?? store.get(key);
    if (value) root.dataset[key] = value;
  }

  const darkByDefault = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (darkByDefault.matches ? "dark" : "light")) === "dark";

  const actions = {
    theme() {
      root.dataset.theme = isDark() ? "light" : "dark";
      store.set("theme", root.dataset.theme);
      colourCharts();
    },
    size() {
      root.dataset.size = root.dataset.size === "large" ? "normal" : "large";
      store.set("size", root.dataset.size);
      resizeCharts();
    },
    sections() {
      const sections = [...document.querySelectorAll("details.section")], open = sections.some(section => !section.open);
      for (const section of sections) section.open = open;
    },
    code() {
      root.dataset.code = root.dataset.code === "hidden" ? "shown" : "hidden";
      store.set("code", root.dataset.code);
      applyCode();
    },
  };

  function applyCode() {
    if (!root.dataset.code) return;
    for (const source of document.querySelectorAll("details.source")) {
      source.open = root.dataset.code === "shown" && !source.classList.contains("setup");
    }
  }

  // Charts take the page's colours: their own backgrounds are transparent.
  const chartColours = () => {
    const style = getComputedStyle(root);
    const probe = document.createElement("span");
    document.body.append(probe);
    const colour = name => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
    const colours = {
      ink: colour("--ink"), soft: colour("--soft"), grid: colour("--line"), panel: colour("--panel"), font: style.getPropertyValue("--sans"),
    };
    probe.remove();
    return colours;
  };

  function chartUpdate(chart, colours) {
    const update = {
      "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
      "font.color": colours.ink, "font.family": colours.font, "legend.bgcolor": "rgba(0,0,0,0)",
      "hoverlabel.bgcolor": colours.panel, "hoverlabel.bordercolor": colours.grid, "hoverlabel.font.color": colours.ink,
      "modebar.bgcolor": "rgba(0,0,0,0)", "modebar.color": colours.soft, "modebar.activecolor": colours.ink,
    };
    for (const key of Object.keys(chart._fullLayout ?? {})) {
      if (!/^[xy]axis\d*$/.test(key)) continue;
      for (const part of ["gridcolor", "linecolor", "zerolinecolor", "tickcolor"]) update[`${key}.${part}`] = colours.grid;
      update[`${key}.color`] = colours.ink;
      update[`${key}.tickfont.color`] = colours.soft;
    }
    return update;
  }

  const charts = () => document.querySelectorAll(".js-plotly-plot");

  function colourCharts(only) {
    if (!window.Plotly) return;
    const colours = chartColours();
    for (const chart of only ?? charts()) Plotly.relayout(chart, chartUpdate(chart, colours));
  }

  function resizeCharts() {
    if (window.Plotly) for (const chart of charts()) if (chart.offsetParent) Plotly.Plots.resize(chart);
  }

  if (window.Plotly) {
    // A chart fills the width of its place and follows it; its height is its own.
    const seen = new WeakSet();
    const follow = new ResizeObserver(entries => {
      for (const { target } of entries) if (target.offsetParent && target._fullLayout) Plotly.Plots.resize(target);
    });
    // Without a pointer that hovers, tools would always cover the chart, and a drag is meant for the page.
    const hovers = matchMedia("(hover: hover)").matches;
    const newPlot = Plotly.newPlot;
    Plotly.newPlot = async function (target, data, layout, config) {
      const figure = Array.isArray(data) ? { data, layout, config } : { ...data };
      figure.config = { displaylogo: false, displayModeBar: hovers && "hover", ...figure.config };
      if (!hovers) figure.layout = { ...figure.layout, dragmode: false };
      const chart = await newPlot(target, figure);
      if (!seen.has(chart)) {
        seen.add(chart);
        chart.style.width = "100%";
        chart.style.height = `${chart._fullLayout.height}px`;
        if (!chart.hasAttribute("tabindex")) chart.tabIndex = 0;
        follow.observe(chart);
      }
      colourCharts([chart]);
      return chart;
    };
    darkByDefault.addEventListener("change", () => colourCharts());
    // Paper is white.
    let themeOnScreen;
    addEventListener("beforeprint", () => { themeOnScreen = root.dataset.theme; root.dataset.theme = "light"; colourCharts(); });
    addEventListener("afterprint", () => {
      if (themeOnScreen) root.dataset.theme = themeOnScreen; else delete root.dataset.theme;
      colourCharts();
    });
  }

  // Runs a javascript cell as .NET Interactive does: what it returns, or throws, is shown under it.
  window.notebookCell = async (id, cell) => {
    const element = document.getElementById(id);
    const show = (text, failed) => {
      const pre = document.createElement("pre");
      pre.className = failed ? "message" : "plain";
      pre.textContent = text;
      element.append(pre);
    };
    try {
      const value = await cell(element);
      if (value !== undefined) show(typeof value === "object" ? JSON.stringify(value, null, 2) : String(value), false);
    } catch (error) {
      show(String(error), true);
    }
  };

  function followReading() {
    const links = new Map([...document.querySelectorAll(".toc a")].map(link => [decodeURIComponent(link.hash.slice(1)), link]));
    const headings = [...links.keys()].map(id => document.getElementById(id)).filter(Boolean);
    if (headings.length === 0) return;
    let current;
    const mark = () => {
      const line = innerHeight * 0.25;
      const atEnd = innerHeight + scrollY >= document.body.scrollHeight - 2;
      const passed = headings.filter(heading => heading.getBoundingClientRect().top < line);
      const now = atEnd ? headings.at(-1) : passed.at(-1);
      if (now === current) return;
      if (current) links.get(current.id).removeAttribute("aria-current");
      current = now;
      if (!current) return;
      const link = links.get(current.id);
      link.setAttribute("aria-current", "true");
      const list = link.closest("nav");
      if (list.scrollHeight > list.clientHeight) list.scrollTo({ top: link.offsetTop - list.clientHeight / 2 });
    };
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; mark(); });
    }, { passive: true });
    mark();
  }

  function addCopyButtons() {
    for (const code of document.querySelectorAll("details.source > pre.code")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.addEventListener("click", async event => {
        event.preventDefault(); // a click on the summary would close the code
        const text = code.innerText.trimEnd();
        try {
          await navigator.clipboard.writeText(text);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(code);
          button.textContent = "Selected";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
      code.parentElement.querySelector("summary .time").before(button);
    }
  }

  addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll(":is(header.bar, header.title) [data-action]")) {
      button.addEventListener("click", () => actions[button.dataset.action]());
    }
    const contents = document.querySelector(".toc > details");
    const wide = matchMedia("(min-width: 70rem)");
    const fit = () => { if (contents) contents.open = wide.matches; };
    wide.addEventListener("change", fit);
    fit();
    contents?.addEventListener("click", event => { if (event.target.closest("a") && !wide.matches) contents.open = false; });
    applyCode();
    // What is drawn while it is hidden has no width.
    for (const section of document.querySelectorAll("details.section")) section.addEventListener("toggle", resizeCharts);
    addCopyButtons();
    followReading();
  });

  addEventListener("beforeprint", () => { for (const section of document.querySelectorAll("details.section")) section.open = true; });

  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
    const action = { t: "theme", p: "size", c: "code" }[event.key];
    if (action && (action !== "code" || document.querySelector("details.source"))) actions[action]();
  });
})();
