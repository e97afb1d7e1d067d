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
    active = Math.max(0, Math.min(options.length - 1, number));
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

/* --- heads of attention ------------------------------------------------------------------------------------------ */

class Weights {
  /* Rows by columns of cells, read back from a picture by the red of its palette. */
  constructor(rows, columns, values) { Object.assign(this, { rows, columns, values }); }
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
  merged(rowGroups, columnGroups) {
    const height = 1 + Math.max(...rowGroups), width = 1 + Math.max(...columnGroups);
    const values = new Float32Array(height * width), counts = new Float32Array(height);
    for (let row = 0; row < this.rows; row++) {
      counts[rowGroups[row]]++;
      for (let column = 0; column < this.columns; column++)
        values[rowGroups[row] * width + columnGroups[column]] += this.at(row, column);
    }
    for (let i = 0; i < values.length; i++) values[i] /= counts[Math.floor(i / width)];
    return new Weights(height, width, values);
  }
  greatest() { return this.values.reduce((most, value) => Math.max(most, value), 1e-9); }
}

/* Neighbouring tokens of one word, or of one cell, under one name. */
function grouped(tokens, words, cell, merge) {
  const names = [], groups = [];
  if (cell > 1) {
    for (let i = 0; i < tokens.length; i += cell) names.push(tokens.slice(i, i + cell).join(" "));
    return { names, groups: names.map((_, i) => i) };
  }
  tokens.forEach((token, i) => {
    const same = merge && i > 0 && words[i] >= 0 && words[i] === words[i - 1];
    if (same) names[names.length - 1] += token.trimStart() === token ? token : ` ${token.trimStart()}`;
    else names.push(token);
    groups.push(names.length - 1);
  });
  return { names, groups };
}

const MATRIX = 420, SMALLEST_LABEL = 9, MOST_LINES = 60, LINE_HEIGHT = 20, NEIGHBOURS = 28;

class Attention {
  constructor(section) {
    this.section = section;
    this.data = JSON.parse(section.querySelector(".data").textContent);
    this.buttons = [...section.querySelectorAll(".tile")];
    this.title = section.querySelector(".title");
    this.tile = this.data.chosen;
    this.row = 0;
    this.merge = false;
    this.build();
    this.show();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.views);
  }

  build() {
    this.section.querySelector(".still").remove();
    const stage = this.section.querySelector(".stage");
    this.tokens = this.section.querySelector(".tokens");
    const controls = element("div", { class: "controls" });
    if (this.data.steps) {
      for (const [text, step] of [["← word before", -1], ["next word →", 1]]) {
        const button = element("button", { type: "button" }, text);
        button.addEventListener("click", () => this.choose(this.row + step));
        controls.append(button);
      }
    }
    const parts = names => names.some((word, i) => i > 0 && word >= 0 && word === names[i - 1]);
    if (this.data.rowCell === 1 && (parts(this.data.rowWords) || parts(this.data.columnWords))) {
      const box = element("input", { type: "checkbox" });
      const label = element("label");
      label.append(box, "sub-words as words");
      box.addEventListener("change", () => { this.merge = box.checked; this.row = 0; this.show(); });
      controls.append(label);
    }
    this.readout = element("p", { class: "soft", "aria-live": "polite" });
    this.views = element("div", { class: "views" });
    this.matrix = element("canvas", { role: "img" });
    this.lines = element("canvas", { role: "img" });
    this.views.append(this.matrix, this.lines);
    stage.append(...(controls.childElementCount ? [controls] : []), this.readout, this.views);
    this.buttons.forEach((button, number) => button.addEventListener("click", () => { this.tile = number; this.show(); }));
    const chosen = event => {
      const box = this.matrix.getBoundingClientRect();
      const row = Math.floor((event.clientY - box.top - this.top) / this.cellHeight);
      const column = Math.floor((event.clientX - box.left - this.left) / this.cellWidth);
      if (row < 0 || column < 0 || row >= this.weights.rows || column >= this.weights.columns) return;
      this.choose(row, column);
    };
    this.matrix.addEventListener("pointermove", event => event.pointerType === "mouse" && chosen(event));
    this.matrix.addEventListener("click", chosen);
  }

  async show() {
    const { data, buttons, tile } = this;
    buttons.forEach((button, number) => button.setAttribute("aria-pressed", String(number === tile)));
    this.rowsNamed = grouped(data.rows, data.rowWords, data.rowCell, this.merge);
    this.columnsNamed = grouped(data.columns, data.columnWords, data.columnCell, this.merge);
    const read = await Weights.of(buttons[tile].querySelector("img"), data.tiles[tile].greatest, data);
    if (tile !== this.tile) return; // another was chosen while this one was inflated
    const merges = data.rowCell === 1 && data.columnCell === 1 && this.merge;
    this.weights = merges ? read.merged(this.rowsNamed.groups, this.columnsNamed.groups) : read;
    this.title.textContent = data.tiles[tile].name.replace(/^./, letter => letter.toUpperCase());
    this.list();
    this.choose(Math.min(this.row, this.weights.rows - 1));
    this.section.dataset.ready = "true";
  }

  /* The positions that look, in a list of their own; where a text looks at itself they also show what is looked at. */
  list() {
    const shown = `${this.merge}`;
    if (this.listed === shown) return;
    this.listed = shown;
    const fresh = element("p", { class: "tokens", id: `${this.section.id}-tokens-${this.merge}` });
    this.spans = this.rowsNamed.names.map(name => element("span", {}, name));
    this.spans.forEach(span => fresh.append(span, " "));
    this.tokens.replaceWith(fresh);
    this.tokens = fresh;
    this.pick = listbox(fresh, this.spans, number => this.choose(number),
      "Positions that look; arrow keys move from one to the next");
    if (this.data.rows.join() === this.data.columns.join()) {
      this.lookedAt = this.spans;
      return;
    }
    /* what is looked at is another text: it has a list of its own, and shows from there who looks at it */
    const others = element("p", { class: "tokens other", id: `${this.section.id}-others-${this.merge}` });
    this.lookedAt = this.columnsNamed.names.map(name => element("span", {}, name));
    this.lookedAt.forEach(span => others.append(span, " "));
    (this.others ?? element("p")).replaceWith(others);
    if (!this.others) fresh.before(others);
    this.others = others;
    listbox(others, this.lookedAt, number => this.chooseColumn(number),
      "Positions that are looked at; arrow keys move from one to the next");
  }

  /* Who looks at a position, the other way round. */
  chooseColumn(column) {
    const { weights } = this;
    const most = weights.greatest();
    this.spans.forEach((span, row) => span.style.setProperty("--weight", Math.min(1, weights.at(row, column) / most)));
    const order = [...this.spans.keys()].sort((a, b) => weights.at(b, column) - weights.at(a, column)).slice(0, 3);
    this.readout.textContent = `“${this.columnsNamed.names[column].trim()}” is looked at by `
      + order.map(row => `“${this.rowsNamed.names[row].trim()}” ${(100 * weights.at(row, column)).toFixed(1)} %`).join(", ");
  }

  choose(row, column = -1) {
    this.row = Math.max(0, Math.min(this.weights.rows - 1, row));
    this.pick(this.row, false);
    const { weights, columnsNamed } = this;
    const most = weights.greatest();
    this.spans.forEach(span => span.style.removeProperty("--weight"));
    this.lookedAt.forEach((span, i) => span.style.setProperty("--weight", Math.min(1, weights.at(this.row, i) / most)));
    const order = [...columnsNamed.names.keys()].sort((a, b) => weights.at(this.row, b) - weights.at(this.row, a));
    const told = (column >= 0 ? [column] : order.slice(0, 3))
      .map(i => `“${columnsNamed.names[i].trim()}” ${(100 * weights.at(this.row, i)).toFixed(1)} %`);
    const doing = this.data.steps ? "is written looking at" : "looks at";
    this.readout.textContent = `“${this.rowsNamed.names[this.row].trim()}” ${doing} ${told.join(", ")}`;
    this.section.dispatchEvent(new CustomEvent("looked", { detail: this.row }));
    this.draw();
  }

  draw() {
    if (!this.weights || this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.drawMatrix(); this.drawLines(); });
  }

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

  drawMatrix() {
    const { weights, rowsNamed, columnsNamed } = this;
    const room = Math.min(this.views.clientWidth, 560);
    const probe = this.prepared(this.matrix, 10, 10);
    const widest = names => Math.min(90, Math.max(...names.map(name => probe.measureText(name.trim()).width)) + 8);
    const labelled = Math.max(weights.rows, weights.columns) <= MATRIX / SMALLEST_LABEL;
    this.left = labelled ? widest(rowsNamed.names) : 4;
    this.top = labelled ? widest(columnsNamed.names) : 4;
    const side = Math.min(MATRIX, room - this.left - 4);
    const cell = Math.min(26, side / Math.max(weights.rows, weights.columns));
    this.cellWidth = this.cellHeight = cell;
    const width = this.left + cell * weights.columns + 4, height = this.top + cell * weights.rows + 4;
    const context = this.prepared(this.matrix, width, height);
    const most = weights.greatest();
    const ink = style("--ink"), accent = style("--for");
    for (let row = 0; row < weights.rows; row++)
      for (let column = 0; column < weights.columns; column++) {
        const tone = Math.sqrt(weights.at(row, column) / most);
        if (tone < 0.02) continue;
        context.fillStyle = `rgb(${accent} / ${tone})`;
        context.fillRect(this.left + column * cell, this.top + row * cell, Math.max(cell - (cell > 6 ? 1 : 0), 0.6), Math.max(cell - (cell > 6 ? 1 : 0), 0.6));
      }
    context.fillStyle = ink;
    if (labelled) {
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
    const width = Math.min(this.views.clientWidth, 420), height = LINE_HEIGHT * Math.max(rows.length, columns.length) + 8;
    const context = this.prepared(this.lines, width, height);
    const from = 0.36 * width, to = 0.64 * width;
    const y = number => 4 + (number + 0.5) * LINE_HEIGHT;
    const accent = style("--for"), ink = style("--ink"), soft = style("--soft");
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
      context.font = `${i === row ? "600 " : ""}13px ${style("--serif")}`;
      context.fillStyle = i === row ? style("--against-ink") : ink;
      context.fillText(clipped(rowsNamed.names[i], context, from - 12), from - 6, y(a));
    });
    context.textAlign = "left";
    context.font = `13px ${style("--serif")}`;
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
document.querySelectorAll(".attention").forEach(section => new Attention(section));
