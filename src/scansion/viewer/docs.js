"use strict";
// The routes of the OpenAPI document, each with its body as JSON Schema.
const place = document.getElementById("routes");

function made(name, text, parent) {
  const element = document.createElement(name);
  element.textContent = text;
  parent.append(element);
  return element;
}

fetch("/openapi.json").then((answer) => answer.json()).then((found) => {
  for (const [path, methods] of Object.entries(found.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const details = made("details", "", place);
      const summary = made("summary", "", details);
      made("code", `${method.toUpperCase()} ${path}`, summary);
      summary.append(` ${operation.summary}`);
      const body = operation.requestBody && operation.requestBody.content["application/json"];
      if (body) {
        made("p", "Body", details);
        made("pre", JSON.stringify(body.schema, null, 1), details).tabIndex = 0;
      }
      const statuses = made("ul", "", details);
      for (const [status, answer] of Object.entries(operation.responses)) {
        made("li", `${status}: ${answer.description}`, statuses);
      }
    }
  }
  place.dataset.ready = "true";
});
