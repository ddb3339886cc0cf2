// Reads queries as a JSON list, and prints those that are no LogQL with where they go wrong.
import { readFileSync } from "node:fs";
import { parser } from "@grafana/lezer-logql";

const wrong = {};
for (const query of JSON.parse(readFileSync(0, "utf8"))) {
  parser.parse(query).iterate({
    enter(node) {
      if (node.type.isError) wrong[query] = node.from;
    },
  });
}
console.log(JSON.stringify(wrong));
