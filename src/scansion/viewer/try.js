"use strict";
// A text goes to a model of this server, and its answer is shown.
const form = document.getElementById("ask"), models = document.getElementById("model");
const text = document.getElementById("text"), place = document.getElementById("answer"), key = document.getElementById("key");
const buttons = [...form.querySelectorAll("button")];
let known = [];

function made(name, content, parent) {
  const element = document.createElement(name);
  element.textContent = content;
  parent.append(element);
  return element;
}

async function asked(path, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  if (key && key.value) headers.Authorization = `Bearer ${key.value}`;
  const answer = await fetch(path, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error.message || found.error);
  return found;
}

function chosen() { return known.find((each) => each.name === models.value); }

function fit() {
  for (const button of buttons) button.hidden = !chosen() || !chosen().does.includes(button.dataset.does);
}

async function list() {
  try {
    known = (await asked("/models")).models;
  } catch (error) {
    if (key) key.addEventListener("change", list, { once: true });
    told(error);
    return;
  }
  models.replaceChildren();
  for (const each of known) made("option", each.name, models);
  fit();
  place.replaceChildren();
  place.dataset.ready = "true";
}

function told(error) {
  place.replaceChildren();
  made("p", error.message, place).className = "problem";
}

function bars(shares) {
  const table = made("table", "", place);
  made("caption", "Probabilities", table);
  for (const [label, share] of Object.entries(shares).sort((a, b) => b[1] - a[1])) {
    const row = made("tr", "", table);
    made("th", label, row).scope = "row";
    const meter = made("meter", "", made("td", "", row));
    meter.value = share;
    meter.setAttribute("aria-label", `${label}: ${(100 * share).toFixed(1)} %`);
    made("td", `${(100 * share).toFixed(1)} %`, row).className = "number";
  }
}

const ACTIONS = {
  async predict(model) {
    const labelled = model.labels.length > 0;
    const found = await asked("/predict", { model: model.name, texts: text.value, ...(labelled && { probabilities: true }) });
    const [first] = found.predictions;
    const given = Array.isArray(first.prediction) ? first.prediction.join(", ") || "none of the labels" : String(first.prediction);
    made("p", given, place).className = "prediction";
    if (first.probabilities) bars(first.probabilities);
  },
  async explain(model) {
    const found = await asked("/explain", { model: model.name, text: text.value });
    made("p", `What each token adds to the score of ${found.answer}: blue is in favour, orange against.`, place).className = "soft";
    const strip = made("p", "", place), most = Math.max(...found.tokens.map((each) => Math.abs(each.contribution)), 1e-9);
    const letters = [...text.value];
    strip.className = "strip";
    let at = 0;
    for (const each of found.tokens) {
      strip.append(letters.slice(at, each.start).join(""));
      const mark = made("span", letters.slice(each.start, each.end).join(""), strip);
      mark.className = each.contribution >= 0 ? "for" : "against";
      mark.style.setProperty("--tint", (0.6 * Math.abs(each.contribution) / most).toFixed(3));
      mark.title = each.contribution.toFixed(3);
      at = each.end;
    }
    strip.append(letters.slice(at).join(""));
  },
  async generate(model) {
    const found = await asked("/v1/completions", { model: model.name, prompt: text.value, max_tokens: 128, echo: true });
    made("p", found.choices[0].text, place).className = "prediction";
  },
};

for (const button of buttons) {
  if (button.type === "button") button.addEventListener("click", async () => {
    if (!form.reportValidity()) return;
    place.replaceChildren();
    place.setAttribute("aria-busy", "true");
    try {
      await ACTIONS[button.dataset.does](chosen());
    } catch (error) {
      told(error);
    }
    place.removeAttribute("aria-busy");
  });
}
models.addEventListener("change", fit);
list();
