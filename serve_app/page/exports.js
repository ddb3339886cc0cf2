// Buttons that save what is shown as a file.

import { button, h } from "./elements.js";
import { tellProblem } from "./notices.js";

const FORMATS = ["csv", "arrow", "parquet"];

export const exportBar = (text, save) => h("div", { class: "bar" }, h("span", {}, text),
  FORMATS.map((format) => button(format.toUpperCase(), () => save(format).catch(tellProblem))));
