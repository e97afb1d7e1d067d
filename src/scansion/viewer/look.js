"use strict";
/* What moves on a page that shows models at work: a word followed across models, a head enlarged, a position chosen.
   Everything it draws stands on the page without it, smaller or as numbers. */

const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const element = (tag, attributes = {}, text = "") => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
};

/* --- a list of words of which one is active: arrows, Home and End move; a pointer chooses ------------------------ */

function listbox(list, options, chosen, label) {
  list.setAttribute("role", "listbox");
  list.setAttribute("tabindex", "0");
  list.setAttribute("aria-label", label);
  options.forEach((option, number) => {
    option.setAttribute("role", "option");
    option.id ||= `${list.id || (list.id = `list-${++listbox.count}`)}-${number}`;
  });
  let active = -1;
  const choose = (number, tell = true) => {
    if (!options.length) return;
    options[active]?.classList.remove("active");
    options[active]?.setAttribute("aria-selected", "false");
    active = Math.max(-1, Math.min(options.length - 1, number));
    if (active < 0) {
      list.removeAttribute("aria-activedescendant");
      return;
    }
    options[active].classList.add("active");
    options[active].setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", options[active].id);
    if (tell) chosen(active);
  };
  options.forEach(option => option.setAttribute("aria-selected", "false"));
  list.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (step) choose(active < 0 ? 0 : active + step);
    else if (event.key === "Home") choose(0);
    else if (event.key === "End") choose(options.length - 1);
    else return;
    event.preventDefault();
    options[active].scrollIntoView({ block: "nearest" });
  });
  const pointed = event => {
    const number = options.indexOf(event.target.closest("[role=option]"));
    if (number >= 0 && number !== active) choose(number);
  };
  list.addEventListener("pointerover", event => event.pointerType === "mouse" && pointed(event));
  list.addEventListener("click", pointed);
  return choose;
}
listbox.count = 0;

/* --- one word, every model ------------------------------------------------------------------------------------- */

function followWords() {
  const readout = document.querySelector(".readout");
  const strips = [...document.querySelectorAll(".strip")];
  if (!readout || !strips.length) return;
  const names = strips.map(strip => strip.closest(".model").querySelector("b").textContent);
  const words = strips.map(strip => [...strip.querySelectorAll(".word")]);
  if (!words[0].length) return;
  const follow = number => {
    choosers.forEach(choose => choose(number, false));
    document.querySelectorAll("tr.active").forEach(row => row.classList.remove("active"));
    document.querySelectorAll(`tr[data-word="${number}"]`).forEach(row => row.classList.add("active"));
    const parts = words.map((mine, model) => `${names.length > 1 ? `${names[model]} ` : ""}${mine[number].dataset.value}`);
    readout.textContent = `“${words[0][number].textContent}”: ${parts.join(" · ")}`;
  };
  const choosers = strips.map((strip, model) =>
    listbox(strip, words[model], follow, `${strip.getAttribute("aria-label")}; arrow keys move from word to word`));
  readout.textContent = "Point at a word, or move with the arrow keys.";
}

/* --- one token, and what was likelier in its place ---------------------------------------------------------------- */

function followTokens(told) {
  const rows = JSON.parse(told.querySelector(".data").textContent), readout = told.querySelector(".readout");
  const list = told.querySelector(".pieces"), percent = share => `${(100 * share).toFixed(1)} %`;
  listbox(list, [...list.querySelectorAll(".word")], number => {
    const { token, bits, instead } = rows[number];
    const likelier = instead.map(([other, share]) => `${other} ${percent(share)}`).join(" · ");
    readout.textContent = `“${token}” took ${bits.toFixed(1)} bits (${percent(2 ** -bits)}); likeliest were ${likelier}`;
  }, "The text token by token; arrow keys move from one to the next");
  readout.textContent = "Point at a token, or move with the arrow keys, to see what was likelier.";
}

/* --- heads of attention ------------------------------------------------------------------------------------------ */

class Weights {
  /* Rows by columns of cells, read back from a picture by the red of its palette. */
  constructor(rows, columns, values) {
    Object.assign(this, { rows, columns, values });
    this.greatest = values.reduce((most, value) => Math.max(most, value), 1e-9);
  }
  at(row, column) { return this.values[row * this.columns + column]; }
  static async of(image, greatest, { levels, reds: [light, dark] }) {
    await image.decode();
    const canvas = element("canvas", { width: image.naturalWidth, height: image.naturalHeight });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    const values = new Float32Array(width * height);
    for (let i = 0; i < values.length; i++)
      values[i] = (Math.round(greatest * (light - data[4 * i]) / (light - dark)) / levels) ** 2;
    return new Weights(height, width, values);
  }
  /* What groups of columns hold together, on average over groups of rows. */
  merged({ groups: rowGroups, names: { length: height } }, { groups: columnGroups, names: { length: width } }) {
    const values = new Float32Array(height * width), counts = new Float32Array(height);
    for (let row = 0; row < this.rows; row++) {
      counts[rowGroups[row]]++;
      for (let column = 0; column < this.columns; column++)
        values[rowGroups[row] * width + columnGroups[column]] += this.at(row, column);
    }
    for (let i = 0; i < values.length; i++) values[i] /= counts[Math.floor(i / width)];
    return new Weights(height, width, values);
  }
}

/* Neighbouring tokens of one word, or of one cell, under one name; a word has a name of its own where one is given. */
function grouped(tokens, words, wordNames, cell, merge) {
  const names = [], groups = [];
  if (cell > 1) {
    for (let i = 0; i < tokens.length; i += cell) names.push(tokens.slice(i, i + cell).join(" "));
    return { names, groups: names.map((_, i) => i) };
  }
  tokens.forEach((token, i) => {
    const same = merge && i > 0 && words[i] >= 0 && words[i] === words[i - 1];
    if (!same) names.push(merge && wordNames[words[i]] ? wordNames[words[i]] : token);
    else if (!wordNames[words[i]]) names[names.length - 1] += token;
    groups.push(names.length - 1);
  });
  return { names, groups };
}

/* A share of attention in hundredths, as the page writes it without scripts. */
const hundredths = weight => (100 * weight).toFixed(0);

const MATRIX = 420, SMALLEST_LABEL = 9, MOST_LINES = 60, LINE_HEIGHT = 20, NEIGHBOURS = 28;

class Attention {
  constructor(section) {
    this.section = section;
    this.data = JSON.parse(section.querySelector(".data").textContent);
    this.buttons = [...section.querySelectorAll(".tile")];
    this.title = section.querySelector(".title");
    this.tokens = section.querySelector(".tokens");
    this.tile = this.data.chosen;
    this.row = 0;
    this.merge = false;
    this.asked = 0;
    this.show();
  }

  /* The controls and drawings, once there is something to draw. */
  build() {
    this.section.querySelector(".still").remove();
    const controls = element("div", { class: "controls" });
    if (this.data.steps) {
      for (const [text, step] of [["← word before", -1], ["next word →", 1]]) {
        const button = element("button", { type: "button" }, text);
        button.addEventListener("click", () => this.choose(this.row + step));
        controls.append(button);
      }
    }
    const inParts = words => words.some((word, i) => i > 0 && word >= 0 && word === words[i - 1]);
    if (this.data.rowCell === 1 && (inParts(this.data.rowWords) || inParts(this.data.columnWords))) {
      const box = element("input", { type: "checkbox" });
      const label = element("label");
      label.append(box, "sub-words as words");
      box.addEventListener("change", () => { this.merge = box.checked; this.row = 0; this.show(); });
      controls.append(label);
    }
    this.readout = element("p", { class: "soft", "aria-live": "polite" });
    this.views = element("div", { class: "views" });
    this.matrix = element("canvas", { role: "img", "aria-label": "" });
    this.lines = element("canvas", { role: "img", "aria-label": "" });
    this.views.append(this.matrix, this.lines);
    this.section.querySelector(".stage").append(
      ...(controls.childElementCount ? [controls] : []), this.readout, this.views);
    this.buttons.forEach((button, number) => button.addEventListener("click", () => { this.tile = number; this.show(); }));
    const pointed = event => {
      /* as it is shown, which a style sheet or a magnifier may have made another size than it was painted in */
      const box = this.matrix.getBoundingClientRect(), { width, height } = this.painted;
      const row = Math.floor(((event.clientY - box.top) * height / box.height - this.top) / this.cell);
      const column = Math.floor(((event.clientX - box.left) * width / box.width - this.left) / this.cell);
      if (row < 0 || column < 0 || row >= this.weights.rows || column >= this.weights.columns) return;
      if (row !== this.row || column !== this.column) this.choose(row, column);
    };
    this.matrix.addEventListener("pointermove", event => event.pointerType === "mouse" && pointed(event));
    this.matrix.addEventListener("click", pointed);
    const redraw = () => { this.painted = null; this.draw(); };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    let width = 0;
    new ResizeObserver(() => {
      if (this.views.clientWidth === width) return;
      width = this.views.clientWidth;
      redraw();
    }).observe(this.views);
  }

  /* The chosen head, its pieces merged or not; what is shown changes when all of it is there. */
  async show() {
    const { data, tile, merge } = this, asked = ++this.asked;
    const rows = grouped(data.rows, data.rowWords, data.rowNames, data.rowCell, merge);
    const columns = grouped(data.columns, data.columnWords, data.columnNames, data.columnCell, merge);
    const read = await Weights.of(this.buttons[tile].querySelector("img"), data.tiles[tile].greatest, data);
    if (asked !== this.asked) return; // another was chosen while this one was inflated
    if (!this.weights) this.build();
    this.weights = data.rowCell === 1 && data.columnCell === 1 && merge ? read.merged(rows, columns) : read;
    Object.assign(this, { rowsNamed: rows, columnsNamed: columns, painted: null });
    this.buttons.forEach((button, number) => button.setAttribute("aria-pressed", String(number === tile)));
    this.title.textContent = data.tiles[tile].name.replace(/^./, letter => letter.toUpperCase());
    this.section.querySelector(".darkest").textContent =
      `Darkest: ${hundredths(this.weights.greatest)} % of a position’s attention.`;
    this.list(merge);
    this.choose(Math.min(this.row, this.weights.rows - 1));
    this.section.dataset.ready = "true";
  }

  /* The positions that look, in a list of their own; where a text looks at itself they also show what is looked at. */
  list(merge) {
    if (this.listed === merge) return;
    this.listed = merge;
    const filled = (names, kind) => {
      const list = element("p", { class: `tokens ${kind}`, id: `${this.section.id}-${kind}-${merge}` });
      const spans = names.map(name => element("span", {}, name));
      spans.forEach(span => list.append(span, " "));
      return [list, spans];
    };
    const [fresh, spans] = filled(this.rowsNamed.names, "looking");
    this.tokens.replaceWith(fresh);
    Object.assign(this, { tokens: fresh, spans, lookedAt: spans });
    this.pick = listbox(fresh, spans, number => this.choose(number),
      "Positions that look; arrow keys move from one to the next");
    if (this.data.same) return;
    /* what is looked at is another text: it has a list of its own, and shows from there who looks at it */
    const [others, columns] = filled(this.columnsNamed.names, "other");
    this.others?.remove();
    fresh.before(others);
    Object.assign(this, { others, lookedAt: columns });
    this.pickColumn = listbox(others, columns, number => this.chooseColumn(number),
      "Positions that are looked at; arrow keys move from one to the next");
  }

  choose(row, column = -1) {
    const { weights, columnsNamed } = this;
    this.row = Math.max(0, Math.min(weights.rows - 1, row));
    this.column = column;
    this.pick(this.row, false);
    if (this.lookedAt !== this.spans) {
      this.spans.forEach(span => span.style.removeProperty("--weight"));
      this.pickColumn(-1, false);
    }
    this.lookedAt.forEach((span, i) =>
      span.style.setProperty("--weight", Math.min(1, weights.at(this.row, i) / weights.greatest)));
    const order = [...columnsNamed.names.keys()].sort((a, b) => weights.at(this.row, b) - weights.at(this.row, a));
    const told = (column >= 0 ? [column] : order.slice(0, 3))
      .map(i => `“${columnsNamed.names[i].trim()}” ${(100 * weights.at(this.row, i)).toFixed(1)} %`);
    const doing = this.data.steps ? "is written looking at" : "looks at";
    this.readout.textContent = `“${this.rowsNamed.names[this.row].trim()}” ${doing} ${told.join(", ")}`;
    this.draw();
  }

  /* Who looks at a position, the other way round. */
  chooseColumn(column) {
    const { weights } = this;
    this.spans.forEach((span, row) =>
      span.style.setProperty("--weight", Math.min(1, weights.at(row, column) / weights.greatest)));
    this.lookedAt.forEach(span => span.style.removeProperty("--weight"));
    const order = [...this.spans.keys()].sort((a, b) => weights.at(b, column) - weights.at(a, column));
    this.readout.textContent = `“${this.columnsNamed.names[column].trim()}” is looked at by `
      + order.slice(0, 3)
        .map(row => `“${this.rowsNamed.names[row].trim()}” ${(100 * weights.at(row, column)).toFixed(1)} %`).join(", ");
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.drawMatrix(); this.drawLines(); });
  }

  /* The width of a column of the views: one beside the other where there is room, else one below the other. */
  get room() { return parseFloat(getComputedStyle(this.views).gridTemplateColumns); }

  prepared(canvas, width, height) {
    const scale = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    context.font = `12px ${style("--sans")}`;
    context.textBaseline = "middle";
    return context;
  }

  /* The matrix without its mark, painted once for a head, a width and a theme. */
  paint() {
    const { weights, rowsNamed, columnsNamed } = this;
    const canvas = element("canvas"), probe = canvas.getContext("2d");
    probe.font = `12px ${style("--sans")}`;
    const widest = names => names.reduce((most, name) => Math.max(most, Math.min(90, probe.measureText(name.trim()).width + 8)), 0);
    const labelled = Math.max(weights.rows, weights.columns) <= MATRIX / SMALLEST_LABEL;
    this.left = labelled ? widest(rowsNamed.names) : 4;
    this.top = labelled ? widest(columnsNamed.names) : 4;
    const side = Math.min(MATRIX, Math.min(this.room, 560) - this.left - 4);
    const cell = this.cell = Math.min(26, side / Math.max(weights.rows, weights.columns));
    const width = this.left + cell * weights.columns + 4, height = this.top + cell * weights.rows + 4;
    const context = this.prepared(canvas, width, height);
    const accent = style("--for"), gap = cell > 6 ? 1 : 0;
    const tones = Array.from({ length: 65 }, (_, i) => `rgb(${accent} / ${i / 64})`);
    for (let row = 0; row < weights.rows; row++)
      for (let column = 0; column < weights.columns; column++) {
        const tone = Math.round(64 * Math.sqrt(weights.at(row, column) / weights.greatest));
        if (!tone) continue;
        context.fillStyle = tones[tone];
        context.fillRect(this.left + column * cell, this.top + row * cell, cell - gap, cell - gap);
      }
    if (labelled) {
      context.fillStyle = style("--ink");
      context.textAlign = "right";
      rowsNamed.names.forEach((name, row) => context.fillText(clipped(name, context, 84), this.left - 4, this.top + (row + 0.5) * cell));
      context.textAlign = "left";
      columnsNamed.names.forEach((name, column) => {
        context.save();
        context.translate(this.left + (column + 0.5) * cell, this.top - 4);
        context.rotate(-Math.PI / 2);
        context.fillText(clipped(name, context, 84), 0, 0);
        context.restore();
      });
    }
    context.strokeStyle = style("--line");
    context.strokeRect(this.left - 0.5, this.top - 0.5, cell * weights.columns + 1, cell * weights.rows + 1);
    this.painted = { canvas, width, height };
  }

  drawMatrix() {
    if (!this.painted) this.paint();
    const { weights, cell, painted: { canvas, width, height } } = this;
    const context = this.prepared(this.matrix, width, height);
    context.drawImage(canvas, 0, 0, width, height);
    context.strokeStyle = style("--against-ink");
    context.lineWidth = 1.5;
    context.strokeRect(this.left - 1, this.top + this.row * cell - 1, cell * weights.columns + 2, Math.max(cell, 2) + 1);
    this.matrix.setAttribute("aria-label", `${this.title.textContent}: a matrix of ${weights.rows} by ${weights.columns} weights. ${this.readout.textContent}`);
  }

  drawLines() {
    const { weights, rowsNamed, columnsNamed, row } = this;
    const whole = Math.max(weights.rows, weights.columns) <= MOST_LINES;
    let rows = [...rowsNamed.names.keys()], columns = [...columnsNamed.names.keys()];
    if (!whole) {
      const around = Math.max(0, Math.min(weights.rows - NEIGHBOURS, row - NEIGHBOURS / 2));
      rows = rows.slice(around, around + NEIGHBOURS);
      columns = columns.sort((a, b) => weights.at(row, b) - weights.at(row, a)).slice(0, NEIGHBOURS).sort((a, b) => a - b);
    }
    const width = Math.min(this.room, 420), height = LINE_HEIGHT * Math.max(rows.length, columns.length) + 8;
    const context = this.prepared(this.lines, width, height);
    const from = 0.36 * width, to = 0.64 * width;
    const y = number => 4 + (number + 0.5) * LINE_HEIGHT;
    const accent = style("--for"), ink = style("--ink"), soft = style("--soft"), serif = style("--serif");
    rows.forEach((i, a) => columns.forEach((j, b) => {
      const weight = weights.at(i, j), mine = i === row;
      if (weight < 0.02 || (!whole && !mine)) return;
      context.strokeStyle = `rgb(${accent} / ${mine ? Math.min(1, 0.2 + weight) : 0.18 * Math.sqrt(weight)})`;
      context.lineWidth = mine ? 1 + 5 * weight : 1;
      context.beginPath();
      context.moveTo(from, y(a));
      context.bezierCurveTo((from + to) / 2, y(a), (from + to) / 2, y(b), to, y(b));
      context.stroke();
    }));
    context.textAlign = "right";
    rows.forEach((i, a) => {
      context.font = `${i === row ? "600 " : ""}13px ${serif}`;
      context.fillStyle = i === row ? style("--against-ink") : ink;
      context.fillText(clipped(rowsNamed.names[i], context, from - 12), from - 6, y(a));
    });
    context.textAlign = "left";
    context.font = `13px ${serif}`;
    columns.forEach((j, b) => {
      const weight = weights.at(row, j);
      context.fillStyle = weight > 0.02 ? ink : soft;
      context.fillText(clipped(columnsNamed.names[j], context, from - 46), to + 6, y(b));
      if (weight >= 0.05) {
        context.textAlign = "right";
        context.fillText(`${Math.round(100 * weight)}`, width - 2, y(b));
        context.textAlign = "left";
      }
    });
    this.lines.setAttribute("aria-label", `Lines from each position to those it looks at, in hundredths. ${this.readout.textContent}`);
  }
}

function clipped(name, context, room) {
  let shown = name.trim();
  while (shown.length > 2 && context.measureText(shown).width > room) shown = `${shown.slice(0, -2)}…`;
  return shown;
}

followWords();
document.querySelectorAll(".told").forEach(followTokens);
document.querySelectorAll(".attention").forEach(section => new Attention(section));
